//! The two pictures that compare the rows: one curve each, and its name beside its end.

use std::ops::Range;

use anyhow::Result;
use gc_benches::pauses::outcome::{Kind, Outcome};
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::plots::{FONT, FONT_SIZE, GRID, INK, decades, drawing, short_time};

/// How many colours there are for curves. The controls have none of their own.
const COLOURS: usize = 12;

const WIDTH: u32 = 1140;
/// For the names of the curves.
const NAMES: u32 = 270;
/// From a name to the next below.
const LINE: i32 = 16;

/// A row in a picture.
struct Curve<'a> {
    outcome: &'a Outcome,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// The colours of the rows, in their order: each has the number of one, and a control none.
fn colours(outcomes: &[Outcome]) -> impl Iterator<Item = Option<usize>> {
    let mut colours = (0..COLOURS).cycle();
    outcomes.iter().map(move |outcome| {
        if outcome.is_control() {
            None
        } else {
            colours.next()
        }
    })
}

/// The colours of the rows, as the page's style names them.
pub fn variables(outcomes: &[Outcome]) -> impl Iterator<Item = String> {
    colours(outcomes).map(|colour| match colour {
        None => "--faint".to_owned(),
        Some(colour) => format!("--curve-{colour}"),
    })
}

/// A curve for each row that has points.
fn curves<'a>(
    outcomes: &'a [Outcome],
    points: impl Fn(&'a Outcome) -> Vec<(f64, f64)>,
) -> Vec<Curve<'a>> {
    let curves = outcomes.iter().zip(colours(outcomes));
    let curves = curves.map(|(outcome, colour)| Curve {
        outcome,
        colour: colour.map_or(INK, |colour| RGBColor(0x60, 0, colour as u8)),
        points: points(outcome),
    });
    curves.filter(|curve| !curve.points.is_empty()).collect()
}

/// The time of a step by percentile.
pub fn latency(outcomes: &[Outcome]) -> Result<String> {
    let curves = curves(outcomes, |outcome| {
        let levels = outcome.run.steps.curve.iter();
        levels
            .map(|level| (level.one_in, level.time.max(1) as f64))
            .collect()
    });
    let times = || {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .map(|point| point.1)
    };
    let times = decades(
        times().fold(f64::INFINITY, f64::min),
        times().fold(0.0, f64::max),
    );
    let most = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|point| point.0);
    let most = most.fold(100.0, f64::max);

    let nines = |count: usize| match count {
        0 => "50 %".to_owned(),
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        _ => format!("99.{} %", "9".repeat(count - 2)),
    };
    let ticks = (0..).map(|count| {
        (
            if count == 0 { 2.0 } else { 10f64.powi(count) },
            nines(count as usize),
        )
    });
    let ticks: Vec<_> = ticks.take_while(|(one_in, _)| *one_in <= most).collect();
    let title = "The time that so many steps stay below";
    draw(
        title,
        &curves,
        (2.0..most, &ticks),
        times.log_scale(),
        &|&time| short_time(time),
    )
}

/// The program's least share of time by window.
pub fn utilisation(outcomes: &[Outcome]) -> Result<String> {
    let curves = curves(outcomes, |outcome| {
        let curve = outcome.run.utilisation.iter();
        curve
            .map(|least| (least.window as f64, least.share))
            .collect()
    });
    let ticks: Vec<_> = (5..10)
        .map(|power| 10f64.powi(power))
        .map(|time| (time, short_time(time)))
        .collect();
    let title = "The program's share of the worst window of such a length";
    let share = |share: &f64| format!("{:.0} %", 100.0 * share);
    draw(title, &curves, (1e5..1e9, &ticks), 0.0..1.0, &share)
}

/// A picture of `curves` over a logarithmic axis with ticks where they are said to be.
fn draw<Y, C>(
    title: &str,
    curves: &[Curve<'_>],
    (from_to, ticks): (Range<f64>, &[(f64, String)]),
    up: Y,
    up_label: &dyn Fn(&f64) -> String,
) -> Result<String>
where
    Y: AsRangedCoord<Value = f64, CoordDescType = C>,
    C: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let height = 430.max(LINE as u32 * (curves.len() as u32 + 4));
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        let style = |colour: &RGBColor, across, up| {
            let font = (FONT, FONT_SIZE).into_font().color(colour);
            font.pos(Pos::new(across, up))
        };
        let mut chart = ChartBuilder::on(&area)
            .margin_top(30)
            .margin_left(8)
            .margin_right(NAMES)
            .margin_bottom(8)
            .x_label_area_size(24)
            .y_label_area_size(56)
            .build_cartesian_2d(from_to.log_scale(), up)
            .map_err(drawing)?;
        let (floor, top) = (chart.y_range().start, chart.y_range().end);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style((FONT, FONT_SIZE, &INK))
            .y_label_formatter(&up_label)
            .y_labels(8)
            .draw()
            .map_err(drawing)?;
        let heading = style(&INK, HPos::Left, VPos::Center);
        area.draw_text(title, &heading, (8, 14)).map_err(drawing)?;
        for (at, label) in ticks {
            let line = PathElement::new([(*at, floor), (*at, top)], GRID);
            chart.draw_series([line]).map_err(drawing)?;
            let (x, y) = chart.backend_coord(&(*at, floor));
            let below = style(&INK, HPos::Center, VPos::Top);
            area.draw_text(label, &below, (x, y + 8)).map_err(drawing)?;
        }

        let ends = curves.iter().filter_map(|curve| curve.points.last());
        let ends: Vec<(i32, i32)> = ends.map(|end| chart.backend_coord(end)).collect();
        let beside = (WIDTH - NAMES) as i32;
        for &end in &ends {
            // Below the curves, on the way from the end of one to its name.
            let line = PathElement::new([end, (beside + 4, end.1)], GRID);
            area.draw(&line).map_err(drawing)?;
        }
        for curve in curves {
            let (points, stroke) = (curve.points.iter().copied(), curve.colour.stroke_width(2));
            let dashes = match curve.outcome.kind {
                Kind::Ours => None,
                Kind::Control => Some((6, 4)),
                Kind::Peer => Some((2, 3)),
            };
            if let Some((dash, space)) = dashes {
                let line = DashedPathElement::new(points, dash, space, stroke);
                chart.draw_series([line]).map_err(drawing)?;
            } else {
                let line = PathElement::new(points.collect::<Vec<_>>(), stroke);
                chart.draw_series([line]).map_err(drawing)?;
            }
        }

        let heights: Vec<i32> = ends.iter().map(|end| end.1).collect();
        let names = curves
            .iter()
            .zip(&ends)
            .zip(spread(&heights, height as i32 - LINE));
        for ((curve, &end), y) in names {
            let line = [(beside + 4, end.1), (beside + 22, y)];
            let line = PathElement::new(line, curve.colour);
            area.draw(&line).map_err(drawing)?;
            let name = style(&curve.colour, HPos::Left, VPos::Center);
            let place = (beside + 26, y);
            area.draw_text(&curve.outcome.name, &name, place)
                .map_err(drawing)?;
        }
        area.present().map_err(drawing)?;
    }
    Ok(text)
}

/// Heights in the order of `heights` and as near to them as can be, but a line apart and above `bottom`.
fn spread(heights: &[i32], bottom: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by_key(|&index| heights[index]);
    let mut places = heights.to_vec();
    let mut free = i32::MIN;
    for &index in &order {
        places[index] = places[index].max(free);
        free = places[index] + LINE;
    }
    let mut free = bottom;
    for &index in order.iter().rev() {
        places[index] = places[index].min(free);
        free = places[index] - LINE;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order_and_a_line_between_them() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..100 {
            let heights: Vec<i32> = (0..20).map(|_| random.i32(0..400)).collect();
            let places = spread(&heights, 400);
            let mut pairs: Vec<_> = heights.iter().zip(&places).collect();
            pairs.sort_by_key(|&(height, place)| (height, place));
            assert!(pairs.windows(2).all(|pair| pair[0].1 + LINE <= *pair[1].1));
            assert!(places.iter().all(|place| (0..=400).contains(place)));
        }
        assert_eq!(spread(&[10, 300, 50], 400), [10, 300, 50]);
    }
}
