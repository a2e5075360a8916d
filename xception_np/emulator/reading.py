"""A report, from what the runtime left in its memory."""

from collections import Counter
from collections.abc import Iterable

from xception_np.emulator import native
from xception_np.emulator.kernel import RawKernel
from xception_np.emulator.report import ACCESSES, KINDS, Access, BufferUse, Finding, LineUse, Place, Report, Triple


def report(
    kernel: RawKernel, library: native.Library, result: native.Result, grid: Triple, block: Triple, arguments: list[str]
) -> Report:
    """What a launch did; `arguments` are the names of its arrays."""
    regions = result.regions[: result.region_count]
    names = _unlike([each.name.decode() if each.name else arguments[number] for number, each in enumerate(regions)])
    found, sites = result.findings[: result.finding_count], result.sites[: result.site_count]
    traced = result.traced[: result.traced_count]
    lines = library.lines(
        {site for each in found for site in (each.site, each.other_site)} | {each.site for each in (*sites, *traced)}
    )

    def place(thread: int, number: int, site: int) -> Place:
        return Place(_coordinates(thread, block), _coordinates(number, grid), lines[site])

    findings = [
        Finding(
            kind=KINDS[each.kind],
            file=kernel.module.file,
            at=place(each.thread, each.block, each.site),
            access=ACCESSES[each.access],
            buffer=names[each.region] if each.region >= 0 else "",
            offset=each.offset,
            size=each.size,
            nbytes=regions[each.region].size if each.region >= 0 else 0,
            other=place(each.other_thread, each.other_block, each.other_site) if each.with_other else None,
            times=each.count,
            other_access=ACCESSES[each.other_access] if KINDS[each.kind] == "race" else "",
        )
        for each in found
    ]
    uses = [BufferUse(name, *(getattr(each, field) for field in _BUFFER_FIELDS)) for name, each in zip(names, regions, strict=True)]
    return Report(
        kernel=kernel.name,
        file=kernel.module.file,
        grid=grid,
        block=block,
        threads=result.threads,
        blocks=result.blocks,
        barriers=result.barriers,
        findings=findings,
        buffers={use.name: use for use in uses},
        lines=_by_line(sites, lines, names),
        accesses=[
            Access(each.thread, lines[each.site], names[each.region], ACCESSES[each.access], each.offset, each.size)
            for each in traced
        ],
    )


_BUFFER_FIELDS = ("size", "asked_read", "asked_written", "unique_read", "unique_written")
_LINE_FIELDS = ("requests", "bytes", "sectors", "passes", "least_passes")


def _unlike(names: list[str]) -> list[str]:
    """The same names, and where one comes again a number behind it: two functions may each have an array of that name."""
    counts: Counter[str] = Counter()
    found = []
    for name in names:
        counts[name] += 1
        found.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return found


def _by_line(sites: Iterable[native.SiteUse], lines: dict[int, int], names: list[str]) -> list[LineUse]:
    """The sum over a line's instructions, for every buffer and kind of access."""
    sums: dict[tuple[int, str, str], list[int]] = {}
    for each in sites:
        total = sums.setdefault((lines[each.site], names[each.region], ACCESSES[each.access]), [0] * len(_LINE_FIELDS))
        for k, field in enumerate(_LINE_FIELDS):
            total[k] += getattr(each, field)
    return [LineUse(*key, *total) for key, total in sorted(sums.items())]


def _coordinates(number: int, sizes: Triple) -> Triple:
    return number % sizes[0], number // sizes[0] % sizes[1], number // sizes[0] // sizes[1]
