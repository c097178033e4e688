"""What the real lm-evaluation-harness says of the files of test/doubles/models/lm-eval-files.ts, sample by sample.

    python make_lm_eval.py FOLDER [OUTPUT] [--gguf FILE] [--folders]

Prints, or writes into OUTPUT, JSON: for each model and task the log-likelihoods of each sample's options, the harness's acc and
acc_norm, and the rolling log-likelihood of the text with its three perplexities. MMLU and HellaSwag are the harness's own task files,
pointed at the rows in FOLDER. `--folders` also saves `results_*.json` and `samples_*.jsonl` of HellaSwag in FOLDER/lm-eval.
Needs lm-eval, torch and transformers (and gguf for --gguf).
"""

import argparse
import csv
import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

SHOTS = 5


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("output", nargs="?")
    parser.add_argument("--gguf")
    parser.add_argument("--window", type=int)
    parser.add_argument("--folders", action="store_true")
    return parser.parse_args()


def mmlu_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        for question, *choices, answer in csv.reader(file):
            yield {"question": question, "choices": choices, "answer": "ABCD".index(answer)}


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    return path.name


def tasks_of(folder):
    """The harness's task files with another data set, as dictionaries."""
    import lm_eval
    import yaml
    from lm_eval.tasks.hellaswag.utils import process_docs

    installed = Path(lm_eval.__file__).parent / "tasks"

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: node.value)
    load = lambda path: yaml.load((installed / path).read_text(), Loader)
    local = lambda files: {"dataset_path": "json", "dataset_kwargs": {"data_files": files}}
    work = folder / "rows"
    work.mkdir(exist_ok=True)
    tasks = []
    for dev in sorted((folder / "mmlu/dev").glob("*.csv")):
        subject = dev.name.removesuffix("_dev.csv")
        test = folder / f"mmlu/test/{subject}_test.csv"
        files = {
            split: str(Path("rows") / write_lines(work / f"{subject}.{split}.jsonl", mmlu_rows(path)))
            for split, path in (("dev", dev), ("test", test))
        }
        head = "The following are multiple choice questions (with answers) about "
        tasks.append(
            {
                **load("mmlu/default/_default_template_yaml"),
                **local(files),
                "task": f"mmlu_{subject}",
                "description": head + subject.replace("_", " ") + ".\n\n",
                "num_fewshot": SHOTS,
            }
        )
    tasks.append(
        {
            **load("hellaswag/hellaswag.yaml"),
            **local({"validation": "hellaswag_val.jsonl"}),
            "training_split": None,
            "process_docs": process_docs,
        }
    )
    text = (folder / "text.txt").read_bytes().decode("utf-8")
    tasks.append(
        {
            **{"task": "text", "output_type": "loglikelihood_rolling", "test_split": "test"},
            **local({"test": str(Path("rows") / write_lines(work / "text.jsonl", [{"page": text}]))}),
            **{"doc_to_text": "", "doc_to_target": "{{page}}"},
            "metric_list": [{"metric": name} for name in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
        }
    )
    for task in tasks:
        task.pop("dataset_name", None)
        task.pop("tag", None)
    return tasks


def said(results, samples):
    found = {}
    for task, rows in samples.items():
        scores = {key.split(",")[0]: value for key, value in results["results"][task].items() if key.endswith(",none") and "stderr" not in key}
        rows = sorted(rows, key=lambda row: row["doc_id"])
        found[task] = {
            "scores": scores,
            "samples": [
                {
                    "docHash": row["doc_hash"],
                    "logLikelihoods": [float(resp[0][0]) if isinstance(resp[0], (tuple, list)) else float(resp[0]) for resp in row["resps"]],
                    **{name: row[name] for name in ("acc", "acc_norm") if name in row},
                }
                for row in rows
            ],
        }
    return found


def save(folder, name, results, samples):
    from lm_eval.loggers import EvaluationTracker

    results.pop("pretty_env_info", None)
    tracker = EvaluationTracker(output_path=str(folder / "lm-eval"))
    tracker.general_config_tracker.model_name_sanitized = name
    tracker.save_results_aggregated(results=results, samples=samples)
    tracker.save_results_samples(task_name="hellaswag", samples=samples["hellaswag"])


def run(folder, name, model, window, keeps):
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    args = {**model, "device": "cpu", "dtype": "float32", **({"max_length": window} if window else {})}
    results = simple_evaluate(
        model="hf", model_args=args, tasks=tasks_of(folder), batch_size=1, log_samples=True, bootstrap_iters=0,
        task_manager=TaskManager(include_defaults=False),
    )
    samples = results.pop("samples")
    answer = said(results, samples)
    if keeps:
        save(folder, name, results, samples)
    return answer


def main():
    asked = arguments()
    output = None if asked.output is None else Path(asked.output).resolve()
    gguf = None if asked.gguf is None else Path(asked.gguf).resolve()
    folder = Path(asked.folder).resolve()
    os.chdir(folder)
    import lm_eval
    import torch
    import transformers

    torch.set_num_threads(2)
    models = (
        {"gguf": {"pretrained": str(gguf.parent), "gguf_file": gguf.name}}
        if gguf
        else {name: {"pretrained": f"./{name}"} for name in ("before", "after")}
    )
    answer = {
        "madeWith": {"lm_eval": lm_eval.__version__, "torch": torch.__version__, "transformers": transformers.__version__},
        "models": {name: run(folder, name, model, asked.window, asked.folders) for name, model in models.items()},
    }
    text = json.dumps(answer, indent=1) + "\n"
    if output is None:
        print(text)
    else:
        output.write_text(text)


if __name__ == "__main__":
    main()
