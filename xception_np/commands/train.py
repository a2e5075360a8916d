"""`xception-np train`."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xception_np import data, models, threads
from xception_np.commands.output import console, emit, program, save_figure, training_progress
from xception_np.data import Pictures
from xception_np.errors import InputError
from xception_np.show import confusion_matrix, prediction_grid, training_curves
from xception_np.training import Recipe, Settings, Trainer, confusion, parallel, recipe, runs
from xception_np.training.recipes import recipe_for


def run(
    source: str,
    size: int | None,
    model_name: str,
    recipe_name: str | None,
    changes: Mapping[str, Any],
    out: Path | None,
    as_json: bool,
) -> None:
    """Train a network by a recipe, evaluate it on the test pictures, and say where everything is."""
    folder = out or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{model_name}-{Path(source).name.partition('.')[0]}"
    place = Path(source).expanduser()

    def choose() -> tuple[Recipe, Settings]:
        chosen = recipe_for(source) if recipe_name is None else recipe(recipe_name)
        settings = chosen.settings.with_changes(changes)
        if (folder / "metrics.jsonl").exists():
            raise InputError(f"out is {folder}, which holds a run already; choose another folder, or go on with --resume {folder}")
        return chosen, settings

    with parallel.together() as processes:
        chosen, settings = processes.all(choose)
        train, test = _load(processes, source, size)
        about = {"recipe": chosen.name, "source": str(place.resolve()) if place.exists() else source, "size": size}
        trainer = processes.all(
            lambda: Trainer(_build(model_name, train, settings), train, settings, folder, about=about, processes=processes)
        )
        console.print(chosen.table(settings), highlight=False, markup=False, soft_wrap=True)
        _train_and_report(trainer, test, as_json)


def resume(folder: Path, as_json: bool) -> None:
    """Go on with a run, from its last checkpoint, as if it had never stopped."""

    def read() -> tuple[dict[str, Any], Settings]:
        config = runs.read_config(folder)
        if "source" not in config:
            raise InputError(
                f"resume is {folder}, whose config.json does not say where its data is; use Trainer.restore from Python"
            )
        if (folder / "result.json").exists():
            raise InputError(f"resume is {folder}, which is finished; expected a run that was interrupted")
        return config, Settings().with_changes(config["settings"])

    def restored() -> Trainer:
        about = {name: config[name] for name in ("recipe", "source", "size")}
        model = _build(config["model"], train, settings)
        trainer = Trainer(model, train, settings, folder, about=about, processes=processes)
        trainer.restore()
        return trainer

    with parallel.together() as processes:
        config, settings = processes.all(read)
        train, test = _load(processes, config["source"], config["size"])
        trainer = processes.all(restored)
        console.print(f"going on with {folder} at step {trainer.step}", highlight=False, markup=False, soft_wrap=True)
        _train_and_report(trainer, test, as_json)


def train_and_show(trainer: Trainer, test: Pictures) -> dict[str, Any]:
    """Run a trainer with progress, draw its curves and its predictions; returns what is worth printing."""
    model, train, folder = trainer.model, trainer.train, trainer.folder
    console.print(
        f"training {model.name} ({model.buffers.values.size:,} parameters) on {len(train):,} pictures of {train.name}, "
        f"batch {trainer.settings.batch}, {_counted(trainer.processes.count)}{threads.count()} threads; {folder}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    try:
        with training_progress(trainer.steps) as watch:
            trainer.run(watch)
        evaluation = trainer.evaluate(test)
    except (KeyboardInterrupt, parallel.Lost):
        again = shlex.join([program(), "train", "--resume", str(folder)])
        console.print(f"stopped at step {trainer.step}; to go on:\n{again}", highlight=False, markup=False, soft_wrap=True)
        raise
    last = trainer.history[-1]
    title = f"{model.name} on {train.name}: {evaluation.accuracy:.1%} of {len(test):,} held-out pictures right"
    figures = {
        "curves": training_curves(trainer.history, title, evaluation.accuracy, trainer.validations),
        "predictions": prediction_grid(test, evaluation.probabilities, f"{title}\nThose it is least sure of; wrong ones in orange"),
        "confusion": confusion_matrix(
            confusion(evaluation.labels, evaluation.probabilities.argmax(axis=1), len(test.classes)), test.classes, title
        ),
    }
    result = {
        "model": model.name,
        "data": train.name,
        "recipe": trainer.about.get("recipe"),
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "held_out": len(test),
        "validation_accuracy": trainer.best_accuracy,
        "steps": last.step,
        "epochs": last.epoch,
        "seconds": last.seconds,
        "images_per_second": last.step * trainer.settings.batch / last.seconds,
        "checkpoint": str(trainer.outcome),
        **{name: str(save_figure(figure, folder / f"{name}.png")) for name, figure in figures.items()},
        "metrics": str(folder / "metrics.jsonl"),
        **_waiting(trainer),
    }
    runs.write_result(folder, result)
    return result


def _load(processes: parallel.Processes, source: str, size: int | None) -> data.Split:
    """The data, in every process: the first one downloads what has to be, the others then find it in the cache."""
    loaded = processes.all(lambda: data.load(source, size) if processes.first else None)
    return processes.all(lambda: loaded or data.load(source, size))


def _train_and_report(trainer: Trainer, test: Pictures, as_json: bool) -> None:
    """The first process shows what all of them train."""
    if trainer.processes.first:
        _report(train_and_show(trainer, test), as_json)
    else:
        trainer.run()


def _counted(processes: int) -> str:
    return f"{processes} processes, each with " if processes > 1 else ""


def _waiting(trainer: Trainer) -> dict[str, Any]:
    """How many processes trained, and which part of its time the first one waited for the others and the sum; nothing if alone."""
    waits = [(step.waited, trainer.settings.batch / step.images_per_second) for step in trainer.history if step.waited is not None]
    if not waits:
        return {}
    waited, taken = map(sum, zip(*waits, strict=True))
    return {"processes": trainer.processes.count, "allreduce": waited / taken}


def _build(name: str, train: Pictures, settings: Settings) -> models.Model:
    return models.build(name, len(train.classes), settings.seed, dropout=settings.dropout)


def _report(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(result)
        return
    for name in ("checkpoint", "curves", "confusion", "predictions"):
        print(f"{name:<12} {result[name]}")
    if "allreduce" in result:
        print(f"allreduce    {result['allreduce']:.1%} of the time of {result['processes']} processes")
    print(f"accuracy {result['accuracy']:.1%} on {result['held_out']:,} held-out pictures of {result['data']}")
