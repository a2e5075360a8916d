"""Augmentation in words, for the command line and for files: `resized crop 0.25 1, flip, cutout 8, mixup 0.2`.

    flip                                                mirrored or not
    alternating flip                                    mirrored in every other epoch
    crop MARGIN [reflect]                               moved by up to so many pixels, over black or over its reflection
    colour BRIGHTNESS CONTRAST SATURATION               the largest changes, 0 to 1
    cutout SIDE [RED GREEN BLUE]                        a square of so many pixels hidden, black or in a colour
    resized crop [LEAST MOST [NARROWEST WIDEST]]        a part of the area, with a ratio of width to height
    mixup ALPHA                                         mixed with a neighbour
    none

Items are separated by commas; changes of pixels happen in their order, after the resized crop and before mixup.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from xception_np.data.augment import Augmentation
from xception_np.data.transforms import AlternatingFlip, ColourJitter, Cutout, Flip, PaddedCrop, RandomResizedCrop, Transform
from xception_np.errors import InputError

NONE = "none"


class _Kind(NamedTuple):
    """A kind of item.

    name, takes : what is written: `crop`, and `MARGIN [reflect]`
    read : the item's values -> what goes into the augmentation's field
    """

    name: str
    takes: str
    read: Callable[..., Any]
    field: str = "transforms"


def _resized_crop(*values) -> RandomResizedCrop:
    if len(values) not in (0, 2, 4):
        raise TypeError
    return RandomResizedCrop(*(values[k : k + 2] for k in range(0, len(values), 2)))


_KINDS = (
    _Kind("flip", "", Flip),
    _Kind("alternating flip", "", AlternatingFlip),
    _Kind("crop", "MARGIN [reflect]", PaddedCrop),
    _Kind("colour", "BRIGHTNESS CONTRAST SATURATION", lambda b, c, s: ColourJitter(b, c, s)),
    _Kind("cutout", "SIDE [RED GREEN BLUE]", lambda side, *fill: Cutout(side, fill) if fill else Cutout(side)),
    _Kind("resized crop", "[LEAST MOST [NARROWEST WIDEST]]", _resized_crop, "window"),
    _Kind("mixup", "ALPHA", lambda alpha: Augmentation(mixup=alpha).mixup, "mixup"),
)
USAGE = f"{', '.join(f'{kind.name} {kind.takes}'.strip() for kind in _KINDS)}, separated by commas, or {NONE}"


def read(text: str) -> Augmentation:
    """The augmentation that a text describes.

    Raises
    ------
    InputError
        If an item is not of the notation, or is there twice, or its numbers make no sense.
    """
    if not isinstance(text, str):
        raise InputError(f"augment is {text!r}; expected {USAGE}")
    fields: dict[str, list] = {"transforms": [], "window": [], "mixup": []}
    for item in [] if text.strip() == NONE else text.split(","):
        kind, part = _read_item(item.strip())
        fields[kind.field].append(part)
        if kind.field != "transforms" and len(fields[kind.field]) > 1:
            raise InputError(f"augment has {kind.name} twice; expected it once")
    window, mixup = fields["window"] or [None], fields["mixup"] or [0.0]
    return Augmentation(tuple(fields["transforms"]), window[0], mixup[0])


def write(augmentation: Augmentation) -> str:
    """The text that `read` takes; a transform of your own is written as Python prints it, which `read` refuses."""
    window, mixup = augmentation.window, augmentation.mixup
    items = [] if window is None else [_write_item(window)]
    items += map(_write_item, augmentation.transforms)
    items += [_item("mixup", mixup)] if mixup else []
    return ", ".join(items) or NONE


def _read_item(item: str) -> tuple[_Kind, Any]:
    words = item.split()
    for kind in _KINDS:
        name = kind.name.split()
        if words[: len(name)] == name:
            try:
                return kind, kind.read(*map(_value, words[len(name) :]))
            except TypeError as error:  # too few values, too many, or a word for a number
                expected = f"{kind.name} {kind.takes}".strip()
                raise InputError(f"augment has {item!r}; expected {expected}") from error
    raise InputError(f"augment has {item!r}; expected {USAGE}")


def _value(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _write_item(part: Transform | RandomResizedCrop) -> str:
    match part:
        case Flip():
            return _item("flip")
        case AlternatingFlip():
            return _item("alternating flip")
        case PaddedCrop(margin, edge):
            return _item("crop", margin) + (f" {edge}" if part != PaddedCrop(margin) else "")
        case ColourJitter(brightness, contrast, saturation):
            return _item("colour", brightness, contrast, saturation)
        case Cutout(side, fill):
            return _item("cutout", side, *(fill if part != Cutout(side) else ()))
        case RandomResizedCrop(area, ratio):
            return _item("resized crop", *area, *(ratio if part != RandomResizedCrop(area) else ()))
    return repr(part)


def _item(name: str, *values: float) -> str:
    return " ".join([name, *map(_number, values)])


def _number(value: float) -> str:
    """As short as it can be without losing a digit, and the same for 1 and 1.0."""
    short = str(value) if isinstance(value, int) else f"{value:g}"
    return short if float(short) == value else repr(float(value))
