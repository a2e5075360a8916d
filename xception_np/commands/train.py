"""`xception-np train`."""

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from xception_np import commands, data, implementations, models, threads, weights
from xception_np.commands import tensorboard
from xception_np.commands.output import console, emit, over_views, program, save_figure, training_progress, views_clause
from xception_np.data import Augmentation, Pictures, Preprocessing, notation
from xception_np.errors import InputError
from xception_np.files import with_home
from xception_np.show import confusion_matrix, prediction_grid, training_curves
from xception_np.training import (
    Progress,
    Recipe,
    Settings,
    Trainer,
    ahead,
    beside,
    confusion,
    parallel,
    pretrained,
    recipe,
    resources,
    runs,
)
from xception_np.training.averaging import STATISTICS_BATCHES
from xception_np.training.recipes import FINE_TUNING, recipe_for

T = TypeVar("T")


class Request(NamedTuple):
    """What is to be trained; what is None suits the rest.

    source : data set
    changes : to the settings of the recipe
    start : what to start from, `pretrained.find`; None for starting values
    implementation : what computes
    """

    source: str
    size: int | None
    network: str | None
    recipe: str | None
    augment: str | None
    changes: Mapping[str, Any]
    out: Path | None
    tensorboard: bool
    start: str | None = None
    implementation: str = "cpu"


def run(request: Request, as_json: bool) -> None:
    """Train a network by a recipe, evaluate it on the test pictures, and say where everything is."""
    source = request.source
    place = with_home(source)

    def choose() -> tuple[Recipe, Settings, Augmentation | None]:
        if request.tensorboard:
            tensorboard.check_installed()
        implementations.check(request.implementation)
        chosen = recipe_for(source) if request.recipe is None else recipe(request.recipe)
        if chosen.name == FINE_TUNING.name and start is None:
            raise InputError("recipe is 'fine-tuning', which goes from trained weights to another task; use xception-np fine-tune")
        settings = chosen.changed(request.changes)
        wanted = None if request.augment is None else notation.read(request.augment)
        _check_new(folder)
        return chosen, settings, wanted

    def prepare() -> tuple[Recipe, Trainer]:
        suited = chosen.suited(train)
        augmentation = suited.augmentation if wanted is None else wanted
        known_as = source if data.is_name(source) else str(place.resolve())
        about: dict[str, Any] = {
            "recipe": suited.name,
            "source": known_as,
            "size": size,
            "tensorboard": request.tensorboard,
            "implementation": request.implementation,
        }
        model = _build(network, train, settings)
        preprocessing = None
        if start is not None:
            about |= {"start": request.start, "left_out": weights.load(model, start.path, new_head=True)}
            preprocessing = replace(start.preprocessing, size=train.size, scaled=None)
        model.move(implementations.place(request.implementation))
        trainer = Trainer(
            model,
            train,
            settings,
            folder,
            augmentation=augmentation,
            preprocessing=preprocessing,
            about=about,
            processes=processes,
        )
        locked.enter_context(trainer.lock)
        _check_new(folder)  # again: another process may have trained here while this one read its pictures
        return suited, trainer

    with ExitStack() as locked, parallel.together() as processes:
        start = _once(processes, lambda: None if request.start is None else pretrained.find(request.start, request.network))
        network = _network_for(source) if request.network is None else request.network
        network = network if start is None else start.network
        folder = request.out or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{network}-{place.name.partition('.')[0]}"
        size = request.size
        if size is None and start is not None and data.is_folder_of_pictures(source):
            size = start.preprocessing.size
        chosen, settings, wanted = processes.all(choose)
        train, test = _once(processes, lambda: data.load(source, size))
        chosen, trainer = processes.all(prepare)
        console.print(chosen.table(settings, trainer.augmentation), highlight=False, markup=False, soft_wrap=True)
        if start is not None:
            left_out = ", ".join(trainer.about["left_out"]) or "nothing"
            said = f"starting from {start.path}; left out, for a new last layer: {left_out}"
            console.print(said, highlight=False, markup=False, soft_wrap=True)
        _train_and_report(trainer, test, as_json)


def resume(folder: Path, as_json: bool) -> None:
    """Go on with a run, from its last checkpoint, as if it had never stopped."""

    def prepare() -> Trainer:
        trainer = taken_up(folder, config, train, processes)
        locked.enter_context(trainer.lock)
        trainer.restore()
        return trainer

    with ExitStack() as locked, parallel.together() as processes:
        config = processes.all(lambda: unfinished(folder))
        train, test = _once(processes, lambda: data.load(config["source"], config.get("size")))
        trainer = processes.all(prepare)
        console.print(f"going on with {folder} at step {trainer.step}", highlight=False, markup=False, soft_wrap=True)
        _train_and_report(trainer, test, as_json)


def _check_new(folder: Path) -> None:
    """InputError if there is a run in the folder, or what no run wrote."""
    if (folder / "metrics.jsonl").exists():
        raise InputError(f"out is {folder}, which holds a run already; choose another folder, or go on with --resume {folder}")
    runs.check_free(folder)


def _once(processes: parallel.Processes, get: Callable[[], T]) -> T:
    """The first process downloads what has to be, however long it takes; the others then find it in the cache."""

    def first() -> list[T]:
        try:
            return [get()] if processes.first else []
        finally:
            processes.meet()

    found = processes.all(first)
    return processes.all(lambda: found[0] if found else get())


def unfinished(folder: Path) -> dict[str, Any]:
    """What a run was started with that can go on; InputError if there is no such run in the folder."""
    config = runs.read_config(folder)
    if config.get("source") is None:
        raise InputError(f"resume is {folder}, whose config.json does not say where its data is; use Trainer.restore from Python")
    if all(path.exists() for path in (folder / "result.json", *_pictures(folder).values())):
        raise InputError(f"resume is {folder}, which is finished; expected a run that was interrupted")
    return config


def taken_up(folder: Path, config: dict[str, Any], train: Pictures, processes: parallel.Processes | None = None) -> Trainer:
    """A trainer as the one that an `unfinished` run was started with."""
    settings = Settings().with_changes(config["settings"])
    augmentation = notation.read(config.get("augmentation", ""))
    about: dict[str, Any] = {
        name: config.get(name)
        for name in ("recipe", "source", "size", "tensorboard", "implementation", "start", "left_out")
        if name in config
    }
    if about.get("tensorboard"):
        tensorboard.check_installed()
    model = _build(config["model"], train, settings)
    model.move(implementations.place(implementations.check(about.get("implementation", "cpu"))))
    return Trainer(
        model,
        train,
        settings,
        folder,
        augmentation=augmentation,
        preprocessing=Preprocessing.from_json(config.get("preprocessing", {})),
        about=about,
        processes=processes,
    )


def train_and_show(trainer: Trainer, test: Pictures) -> dict[str, Any]:
    """Run a trainer with progress, draw its curves and its predictions; returns what is worth printing."""
    runs.check_free(trainer.folder)
    with trainer.lock:  # until the last picture is written
        return _train_and_show(trainer, test)


def _train_and_show(trainer: Trainer, test: Pictures) -> dict[str, Any]:
    model, train, folder = trainer.model, trainer.train, trainer.folder
    console.print(
        f"training {model.name} ({model.buffers.values.size:,} parameters) on {len(train):,} pictures of {train.name}, "
        f"batch {trainer.settings.batch}, {_counted(trainer.processes.count)}{threads.count()} threads; {folder}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    views = beside(trainer.augmentation.mirrors)
    ahead.compile_passes(model, train.size)
    trainer.reserve = _reserve(trainer, test, 1 + len(views))
    try:
        with training_progress() as show, _recorded(trainer) as record:

            def watch(progress: Progress) -> None:
                show(progress)
                record(progress)

            trainer.run(watch)
        evaluation = trainer.evaluate(test, views)
    except (KeyboardInterrupt, parallel.Lost):
        again = f"{program()} {shlex.join(['train', '--resume', str(folder)])}"
        console.print(f"stopped at step {trainer.step}; to go on:\n{again}", highlight=False, markup=False, soft_wrap=True)
        raise
    history = trainer.history
    last = history[-1]
    pictures = _pictures(folder)
    result = {
        "model": model.name,
        "data": train.name,
        "recipe": trainer.about.get("recipe"),
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        **over_views(evaluation),
        "held_out": len(test),
        "validation_accuracy": trainer.best_accuracy,
        "steps": last.step,
        "epochs": last.epoch,
        "seconds": last.seconds,
        "share_waited": resources.share_waited(history),
        "most_memory": resources.most_memory(history),
        **_summing(trainer),
        "images_per_second": last.step * trainer.settings.batch / last.seconds,
        "checkpoint": str(trainer.outcome),
        **{name: str(path) for name, path in pictures.items()},
        "metrics": str(folder / "metrics.jsonl"),
    }
    runs.write_result(folder, result)
    title = f"{model.name} on {train.name}: {evaluation.accuracy:.1%} of {len(test):,} held-out pictures right"
    figures = {
        "curves": training_curves(history, title, evaluation.accuracy, trainer.validations),
        "predictions": prediction_grid(test, evaluation.probabilities, f"{title}\nThose it is least sure of; wrong ones in orange"),
        "confusion": confusion_matrix(
            confusion(evaluation.labels, evaluation.probabilities.argmax(axis=1), len(test.classes)), test.classes, title
        ),
    }
    for name, figure in figures.items():
        save_figure(figure, pictures[name])
    return result


def _pictures(folder: Path) -> dict[str, Path]:
    return {name: folder / f"{name}.png" for name in runs.PICTURES}


def _train_and_report(trainer: Trainer, test: Pictures, as_json: bool) -> None:
    """The first process shows what all of them train."""
    with implementations.use(trainer.about.get("implementation", "cpu")):
        if trainer.processes.first:
            _report(train_and_show(trainer, test), as_json)
        else:
            trainer.run()


def _counted(processes: int) -> str:
    return f"{processes} processes, each with " if processes > 1 else ""


def _summing(trainer: Trainer) -> dict[str, Any]:
    """How many processes trained, and which part of its time the first one waited for the others and the sum; nothing if alone."""
    if trainer.processes.count == 1:
        return {}
    return {"processes": trainer.processes.count, "allreduce": resources.share_summed(trainer.history)}


def _reserve(trainer: Trainer, test: Pictures, views: int) -> float:
    """Seconds that are not for steps: those since the program began, and about those from the last step to the end.

    At the end there are statistics for averaged weights, the evaluation, and pictures; before that, where pictures are set aside,
    they are measured a last time. A forward pass that statistics are taken from counts as two at inference.
    """
    from xception_np.models import folding  # Numba: imported when something is to be computed

    batch = trainer.settings.batch
    some = np.arange(min(batch, len(test)))

    predictor = folding.for_inference(trainer.model)

    def predict() -> None:
        predictor.predict(trainer.preprocessing.apply(test.read(some)), batch)

    predict()  # compiles
    begin = time.perf_counter()
    predict()
    seconds = (time.perf_counter() - begin) * batch / len(some)  # of a whole batch
    aside = len(trainer.validation) if trainer.validation else 0
    estimated = trainer.average is not None and not trainer.settings.statistics_stay
    statistics = 2 * min(STATISTICS_BATCHES, len(trainer.loader)) * (2 if aside else 1) if estimated else 0
    after = 1.2 * seconds * ((views * len(test) + aside) / batch + statistics) + 3
    return time.perf_counter() - commands.STARTED + after


def _recorded(trainer: Trainer) -> AbstractContextManager[Callable[[Progress], None]]:
    """A function to call after every step, which writes what was asked for."""
    return tensorboard.written(trainer) if trainer.about.get("tensorboard") else nullcontext(lambda progress: None)


def _network_for(source: str) -> str:
    """The network to train where none is named: xception_compact for pictures in folders, which are larger."""
    return "xception_compact" if data.is_folder_of_pictures(source) else "xception_small"


def _build(name: str, train: Pictures, settings: Settings) -> models.Model:
    return models.build(name, len(train.classes), settings.seed, dropout=settings.dropout)


def _report(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(result)
        return
    for name in ("checkpoint", "curves", "confusion", "predictions"):
        print(f"{name:<12} {result[name]}")
    print(f"waited       {result['share_waited']:.1%} of the time for pictures; {result['most_memory'] / 2**20:,.0f} MiB at most")
    if "allreduce" in result:
        print(f"allreduce    {result['allreduce']:.1%} of the time of {result['processes']} processes")
    pictures = f"{result['held_out']:,} held-out pictures of {result['data']}"
    print(f"accuracy {result['accuracy']:.1%} on {pictures}{views_clause(result)}")
