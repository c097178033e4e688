/** @file A cluster of Slurm on this machine: real daemons of two nodes, in a folder of their own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const SLURM_MISSING = 'needs root and Debian’s slurmctld, slurmd, slurm-client and munge'

const DAEMONS = ['munged', 'slurmctld', 'slurmd', 'sbatch']
export const hasSlurm =
  process.getuid?.() === 0 && DAEMONS.every((name) => spawnSync('which', [name]).status === 0)

const configuration = (folder: string, host: string) => `ClusterName=touchstone
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=${folder}/munge.sock
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool/%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=10
JobRequeue=1
MpiDefault=none
NodeName=n[1-2] NodeHostname=${host} NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=p Nodes=ALL Default=YES MaxTime=10 State=UP
`

export interface Cluster {
  /** What a process needs to submit jobs to it. */
  readonly env: NodeJS.ProcessEnv
  /** Kills a node's daemon with everything that it started, at once. */
  killNode(name: string): void
  startNode(name: string): void
  stop(): void
}

/** Resolves when both nodes are idle. */
export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-slurm-'))
  for (const name of ['state', 'spool/n1', 'spool/n2'])
    mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'slurm.conf'), configuration(folder, hostname().split('.')[0]!))
  writeFileSync(join(folder, 'munge.key'), randomBytes(128), { mode: 0o400 })
  const env = { ...process.env, SLURM_CONF: join(folder, 'slurm.conf') }
  const start = (name: string, words: readonly string[]) =>
    spawn(name, words, { env, stdio: 'ignore' })
  const munge = ['socket=munge.sock', 'key-file=munge.key', 'pid-file=munged.pid']
  const files = [...munge, 'log-file=munged.log', 'seed-file=munged.seed'].map((word) =>
    word.replace(/=(.*)/u, (_, name: string) => `=${join(folder, name)}`),
  )
  const daemons = [start('munged', ['-F', '--force', ...files.map((word) => `--${word}`)])]
  await sleep(1000)
  daemons.push(start('slurmctld', ['-D']))
  const nodes = new Map<string, ChildProcess>()
  const startNode = (name: string) => void nodes.set(name, start('slurmd', ['-D', '-N', name]))
  ;['n1', 'n2'].forEach(startNode)
  const cluster: Cluster = {
    env,
    startNode,
    killNode: (name) => killNode(nodes.get(name)!.pid!, name, env),
    stop() {
      for (const [name, { pid }] of nodes) killNode(pid!, name, env)
      daemons.forEach((daemon) => daemon.kill())
    },
  }
  for (let asked = 0; asked < 120; asked++) {
    const words = ['--noheader', '--format=%t %D']
    const { stdout } = spawnSync('sinfo', words, { env, encoding: 'utf8' })
    if (stdout.trim() === 'idle 2') return cluster
    await sleep(500)
  }
  cluster.stop()
  throw new Error(`no idle nodes after a minute; see ${folder}`)
}

/** Kills a node's daemon, the step daemons of its jobs, and their children. */
function killNode(daemon: number, node: string, env: NodeJS.ProcessEnv): void {
  const words = ['--noheader', `--nodelist=${node}`, '--states=running', '--format=%A']
  const jobs = spawnSync('squeue', words, { env, encoding: 'utf8' }).stdout.split('\n')
  const children = new Map<number, number[]>()
  const ends = [daemon]
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/u.test(each))) {
    const pid = Number(name)
    const [status, command] = ['stat', 'cmdline'].map((file) => readOrNone(`/proc/${pid}/${file}`))
    const parent = Number(status!.slice(status!.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
    const [, job] = /^slurmstepd: \[(\d+)\./u.exec(command!) ?? []
    if (job !== undefined && jobs.includes(job)) ends.push(pid)
  }
  const kill = (pid: number): void => {
    children.get(pid)?.forEach(kill)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  ends.forEach(kill)
}

function readOrNone(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
