//! The pictures, as SVG.
//!
//! Each colour is a stand-in that the page's style replaces, so that a picture is readable on
//! light and on dark paper. Times are on logarithmic scales throughout: a pause of ten
//! milliseconds and one of ten microseconds are to be seen in one picture.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use gc_benches::pauses::distribution::Bar;
use gc_benches::pauses::outcome::Outcome;
use gc_benches::pauses::series::Bucket;

pub const INK: RGBColor = RGBColor(0x10, 0x10, 0x10);
pub const GRID: RGBColor = RGBColor(0x20, 0x20, 0x20);
const PAUSE: RGBColor = RGBColor(0x30, 0x30, 0x30);
const HEAP: RGBColor = RGBColor(0x40, 0x40, 0x40);
const STEP: RGBColor = RGBColor(0x50, 0x50, 0x50);

pub const FONT: &str = "sans-serif";
pub const FONT_SIZE: u32 = 13;

/// How the counts of a histogram are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Counts {
    /// In proportion.
    Linear,
    /// Logarithmically, so that one in a million can be seen.
    Log,
}

/// A histogram over times, with a dashed line at `mark` if that lies in the picture.
pub fn histogram(bars: &[Bar], counts: Counts, mark: Option<u64>) -> Result<String> {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1) as f64;
    let times = decades(
        bars.iter()
            .map(|bar| bar.from)
            .fold(f64::INFINITY, f64::min),
        bars.iter().map(|bar| bar.to).fold(0.0, f64::max),
    );
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (560, 260)).into_drawing_area();
        let colour = if counts == Counts::Log { STEP } else { PAUSE };
        match counts {
            Counts::Linear => bars_on(&area, bars, times, 0.0..most * 1.05, 0.0, colour, mark)?,
            Counts::Log => {
                // Half a count, so that a single one has a height.
                let up = (0.5..most * 2.0).log_scale();
                bars_on(&area, bars, times, up, 0.5, colour, mark)?;
            }
        }
        area.present().map_err(drawing)?;
    }
    Ok(text)
}

fn bars_on<C>(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    bars: &[Bar],
    times: Range<f64>,
    counts: impl AsRangedCoord<Value = f64, CoordDescType = C>,
    foot: f64,
    colour: RGBColor,
    mark: Option<u64>,
) -> Result<()>
where
    C: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(28)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .build_cartesian_2d(times.clone().log_scale(), counts)
        .map_err(drawing)?;
    let top = chart.y_range().end;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, FONT_SIZE, &INK))
        .x_label_formatter(&|&time| short_time(time))
        .y_label_formatter(&|&count| short_count(count))
        .x_labels(10)
        .y_labels(6)
        .draw()
        .map_err(drawing)?;
    chart
        .draw_series(bars.iter().map(|bar| {
            // A hair's breadth between bars, on the logarithmic scale.
            let (from, to) = (bar.from * 1.015, bar.to / 1.015);
            Rectangle::new([(from, foot), (to, bar.count as f64)], colour.filled())
        }))
        .map_err(drawing)?;
    if let Some(mark) = mark
        .map(|mark| mark as f64)
        .filter(|mark| times.contains(mark))
    {
        let line = [(mark, foot), (mark, top)];
        chart
            .draw_series(std::iter::once(DashedPathElement::new(line, 4, 4, INK)))
            .map_err(drawing)?;
    }
    Ok(())
}

/// Pauses over time above the size of the heap over time.
pub fn time_line(outcome: &Outcome) -> Result<String> {
    let seconds = 0.0..(outcome.whole as f64 / 1e9).max(1e-9);
    let has_heap = !outcome.heap_over_time.is_empty();
    let mut text = String::new();
    {
        let height = if has_heap { 380 } else { 210 };
        let area = SVGBackend::with_string(&mut text, (1140, height)).into_drawing_area();
        let (above, below) = area.split_vertically(200);
        pauses_on(&above, &outcome.pauses_over_time, seconds.clone())?;
        if has_heap {
            heap_on(&below, outcome, seconds)?;
        }
        area.present().map_err(drawing)?;
    }
    Ok(text)
}

fn pauses_on(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    buckets: &[Bucket],
    seconds: Range<f64>,
) -> Result<()> {
    let greatest = buckets
        .iter()
        .map(|bucket| bucket.max.value)
        .max()
        .unwrap_or(1_000_000);
    let least = buckets
        .iter()
        .map(|bucket| bucket.max.value)
        .min()
        .unwrap_or(1_000);
    let times = decades(least as f64, greatest as f64);
    let foot = times.start;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(28)
        .x_label_area_size(24)
        .y_label_area_size(64)
        .build_cartesian_2d(seconds, times.log_scale())
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, FONT_SIZE, &INK))
        .x_label_formatter(&|seconds| short_seconds(*seconds))
        .y_label_formatter(&|&time| short_time(time))
        .y_labels(8)
        .draw()
        .map_err(drawing)?;
    chart
        .draw_series(buckets.iter().map(|bucket| {
            let at = bucket.max.at as f64 / 1e9;
            PathElement::new(
                [(at, foot), (at, (bucket.max.value as f64).max(foot))],
                PAUSE,
            )
        }))
        .map_err(drawing)?;
    Ok(())
}

fn heap_on(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    outcome: &Outcome,
    seconds: Range<f64>,
) -> Result<()> {
    let lines = [
        (&outcome.objects_over_time, STEP),
        (&outcome.heap_over_time, HEAP),
    ];
    let all = lines.iter().flat_map(|(buckets, _)| buckets.iter());
    let greatest = all.map(|bucket| bucket.max.value).max().unwrap_or(0).max(1);
    // In units of a power of two, so that round numbers of them are ticks.
    let (unit, name) = match greatest {
        bytes if bytes < 1 << 20 => (1u64 << 10, "KiB"),
        bytes if bytes < 10 << 30 => (1 << 20, "MiB"),
        _ => (1 << 30, "GiB"),
    };
    let in_units = |bytes: u64| bytes as f64 / unit as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(28)
        .x_label_area_size(24)
        .y_label_area_size(64)
        .build_cartesian_2d(seconds, 0.0..in_units(greatest) * 1.05)
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, FONT_SIZE, &INK))
        .x_label_formatter(&|seconds| short_seconds(*seconds))
        .y_label_formatter(&|amount| format!("{amount} {name}"))
        .y_labels(5)
        .draw()
        .map_err(drawing)?;
    for (buckets, colour) in lines {
        let points = buckets.iter().flat_map(|bucket| {
            let (mut first, mut second) = (bucket.min, bucket.max);
            if second.at < first.at {
                (first, second) = (second, first);
            }
            [first, second].map(|point| (point.at as f64 / 1e9, in_units(point.value)))
        });
        let line = PathElement::new(points.collect::<Vec<_>>(), colour);
        chart.draw_series(std::iter::once(line)).map_err(drawing)?;
    }
    Ok(())
}

pub fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

/// The whole decades around two times.
pub fn decades(least: f64, greatest: f64) -> Range<f64> {
    let least = if least.is_finite() {
        least.max(1.0)
    } else {
        1.0
    };
    let ceiling = 10f64.powf(greatest.max(1.0).log10().ceil());
    // Two decades at least, so that there are ticks to read by.
    let floor = 10f64.powf(least.log10().floor()).min(ceiling / 100.0);
    floor..ceiling
}

/// A time that is a whole number of its unit.
pub fn short_time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    // A tick lies at a whole number of its unit, but for the rounding of a logarithm.
    format!("{value:.0} {unit}")
}

fn short_seconds(seconds: f64) -> String {
    format!("{} s", (seconds * 1e3).round() / 1e3)
}

fn short_count(count: f64) -> String {
    match count {
        n if n >= 1e6 => format!("{} M", n / 1e6),
        n if n >= 1e4 => format!("{} k", n / 1e3),
        n => format!("{n}"),
    }
}
