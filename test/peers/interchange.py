"""What the real tools say of our files, and files of theirs for us. Run by interchange.test.ts.

    python interchange.py read FILE.eval…      one JSON line a log, as inspect_ai reads it
    python interchange.py inspect FOLDER       two logs of the same task, the second worse
    python interchange.py lm-eval FOLDER       two results of the same task with another model seed
    python interchange.py eee FILE…            what the schemas of the package every-eval-ever object to, one line each
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"


def read(paths):
    from inspect_ai.log import read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries

    for path in paths:
        log = read_eval_log(path)
        alone = read_eval_log_sample(path, id=log.samples[-1].id, epoch=log.samples[-1].epoch)
        score = log.results.scores[0]
        print(
            json.dumps(
                {
                    "status": log.status,
                    "task": log.eval.task,
                    "model": log.eval.model,
                    "samples": len(log.samples),
                    "summaries": len(read_eval_log_sample_summaries(path)),
                    "last": alone.output.completion,
                    "metrics": {name: metric.value for name, metric in score.metrics.items()},
                    "scored": score.scored_samples,
                    "unscored": score.unscored_samples,
                    "outcomes": [
                        [s.id, name, value.metadata["outcome"]]
                        for s in log.samples
                        for name, value in s.scores.items()
                    ],
                }
            )
        )


def inspect(folder):
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ModelOutput
    from inspect_ai.scorer import match
    from inspect_ai.solver import solver

    @solver
    def knows(right):
        async def solve(state, generate):
            answer = state.target.text if int(state.sample_id) < right else "no idea"
            state.output = ModelOutput.from_content("mock", answer)
            return state

        return solve

    # Long enough to be moved to the log's attachments; every other one is a conversation.
    def input_of(i):
        text = f"Where is room {i}? " + "x" * 300
        return text if i % 2 == 0 else [ChatMessageSystem(content="Be brief. " + "y" * 300), ChatMessageUser(content=text)]

    samples = [Sample(id=str(i), input=input_of(i), target=f"floor {i}") for i in range(12)]
    for name, right in (("before", 9), ("after", 4)):
        task = Task(name="rooms", dataset=samples, solver=knows(right), scorer=match(location="any"))
        log = eval(task, model="mockllm/model", log_dir=os.path.join(folder, name), log_format="eval", display="none")
        print(log[0].location)


def lm_eval(folder):
    import random
    from lm_eval.api.model import LM
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    rows = os.path.join(folder, "rows.jsonl")
    with open(rows, "w") as file:
        for i in range(20):
            file.write(json.dumps({"question": f"When is breakfast {i}?", "choices": ["seven", "eight"], "answer": i % 2}) + "\n")
    with open(os.path.join(folder, "hotel.yaml"), "w") as file:
        file.write(
            "task: hotel\ndataset_path: json\n"
            f"dataset_kwargs:\n  data_files:\n    test: {rows}\n"
            "test_split: test\noutput_type: multiple_choice\n"
            'doc_to_text: "{{question}}"\ndoc_to_choice: "{{choices}}"\ndoc_to_target: answer\n'
            "metric_list:\n  - metric: acc\n    aggregation: mean\n    higher_is_better: true\n"
            "metadata:\n  version: 1.0\n"
        )

    class Guess(LM):
        def __init__(self, seed):
            super().__init__()
            self.random = random.Random(seed)

        def loglikelihood(self, requests):
            return [(-self.random.random(), False) for _ in requests]

        def loglikelihood_rolling(self, requests):
            raise NotImplementedError

        def generate_until(self, requests):
            raise NotImplementedError

    for name, seed in (("before", 1), ("after", 2)):
        out = os.path.join(folder, name)
        results = simple_evaluate(
            model=Guess(seed),
            tasks=["hotel"],
            task_manager=TaskManager(include_path=folder, include_defaults=False),
            log_samples=True,
            bootstrap_iters=0,
        )
        samples = results.pop("samples")
        tracker = EvaluationTracker(output_path=out)
        tracker.general_config_tracker.model_name_sanitized = name
        tracker.save_results_aggregated(results=results, samples=samples)
        tracker.save_results_samples(task_name="hotel", samples=samples["hotel"])
        print(json.dumps([os.path.join(out, name), results["results"]["hotel"]["acc,none"]]))


def eee(paths):
    import importlib.util
    import jsonschema

    package = importlib.util.find_spec("every_eval_ever").submodule_search_locations[0]

    def validator(name):
        with open(os.path.join(package, "schemas", name)) as file:
            schema = json.load(file)
        return jsonschema.validators.validator_for(schema)(schema)

    logs, samples = validator("eval.schema.json"), validator("instance_level_eval.schema.json")
    print("checked", len(paths))
    for path in paths:
        with open(path) as file:
            rows = [json.loads(line) for line in file] if path.endswith(".jsonl") else [json.load(file)]
        for row in rows:
            for error in (samples if path.endswith(".jsonl") else logs).iter_errors(row):
                print(path, list(error.path), error.message[:200])


if __name__ == "__main__":
    {"read": read, "eee": eee, "inspect": lambda a: inspect(a[0]), "lm-eval": lambda a: lm_eval(a[0])}[sys.argv[1]](sys.argv[2:])
