/** @file The row of a run: what the three events of a job's life do to it. */
import type { Database } from 'better-sqlite3'
import type { JobEvent } from '../../contract/events.ts'

/** Applies `job-start`, `job-resume` and `job-end`; other events leave the run's row alone. */
export function createRunWriter(database: Database): (event: JobEvent) => void {
  const start = database.prepare(
    `INSERT INTO run (id, kind, title, command, config_json, engine_json, started_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  )
  const resume = database.prepare(
    'UPDATE run SET engine_json = ?, ended_at = NULL, outcome = NULL, error_json = NULL WHERE id = ?',
  )
  const end = database.prepare(
    'UPDATE run SET ended_at = ?, outcome = ?, error_json = ? WHERE id = ?',
  )
  return (event) => {
    if (event.type === 'job-start') {
      const { runId, kind, title, command, config, engine, at } = event
      const configJson = JSON.stringify(config ?? null)
      start.run(runId, kind, title, command, configJson, JSON.stringify(engine), at)
    } else if (event.type === 'job-resume') {
      resume.run(JSON.stringify(event.engine), event.runId)
    } else if (event.type === 'job-end') {
      const error = event.error ? JSON.stringify(event.error) : null
      end.run(event.at, event.outcome, error, event.runId)
    }
  }
}
