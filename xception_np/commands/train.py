"""`xception-np train`."""

import time
from pathlib import Path

from xception_np import data, models, threads
from xception_np.commands.output import console, emit, save_figure, training_progress
from xception_np.errors import InputError
from xception_np.show import prediction_grid, training_curves
from xception_np.training import Settings, Trainer


def run(
    source: str,
    model_name: str,
    epochs: int,
    minutes: float | None,
    batch: int,
    rate: float,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Train a network, evaluate it on the held-out pictures, and say where everything is."""
    settings = Settings(epochs=epochs, minutes=minutes, batch=batch, rate=rate, seed=seed)
    folder = out or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{model_name}-{Path(source).name.partition('.')[0]}"
    if (folder / "metrics.jsonl").exists():
        raise InputError(f"out is {folder}, which holds a run already; choose another folder")
    train, test = data.load(source)
    trainer = Trainer(models.build(model_name, len(train.classes), seed), train, settings, folder)
    result = train_and_show(trainer, test)
    if as_json:
        emit(result)
    else:
        print(f"checkpoint   {result['checkpoint']}\ncurves       {result['curves']}\npredictions  {result['predictions']}")
        print(f"accuracy {result['accuracy']:.1%} on {result['held_out']:,} held-out pictures of {test.name}")


def train_and_show(trainer: Trainer, test: data.Dataset) -> dict:
    """Run a trainer with progress, draw its curves and its predictions; returns what is worth printing."""
    model, train = trainer.model, trainer.train
    console.print(
        f"training {model.name} ({model.buffers.values.size:,} parameters) on {len(train):,} pictures of {train.name}, "
        f"batch {trainer.settings.batch}, {threads.count()} threads; {trainer.folder}",
        highlight=False,
    )
    try:
        with training_progress(trainer.steps) as watch:
            trainer.run(watch)
    except KeyboardInterrupt:
        if trainer.history:
            console.print(f"stopped at step {trainer.history[-1].step}; the model so far is {trainer.folder}/last.safetensors")
        raise
    last = trainer.history[-1]
    evaluation = trainer.evaluate(test)
    title = f"{model.name} on {train.name}: {evaluation.accuracy:.1%} of {len(test):,} held-out pictures right"
    curves = save_figure(training_curves(trainer.history, title, evaluation.accuracy), trainer.folder / "curves.png")
    grid = prediction_grid(test, evaluation.probabilities, f"{title}\nThose it is least sure of; wrong ones in orange")
    predictions = save_figure(grid, trainer.folder / "predictions.png")
    return {
        "model": model.name,
        "data": train.name,
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "held_out": len(test),
        "steps": last.step,
        "epochs": last.epoch,
        "seconds": last.seconds,
        "images_per_second": last.step * trainer.settings.batch / last.seconds,
        "checkpoint": str(trainer.folder / "last.safetensors"),
        "curves": str(curves),
        "predictions": str(predictions),
        "metrics": str(trainer.folder / "metrics.jsonl"),
    }
