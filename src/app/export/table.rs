//! The numbers that are drawn, and those behind them: as CSV (RFC 4180), a line a point, and as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use crate::app::model::curves::CurvePoint;
use crate::app::model::row::{Measure, Numbers, Row};
use crate::app::panels::instrument::plot::scene::Scene;
use crate::transfer::Side;

/// A curve between pauses, of one end.
#[derive(Debug, Serialize)]
struct Series {
    name: Cow<'static, str>,
    end: Side,
    unit: &'static str,
    points: Vec<Point>,
}

/// A value that holds from the point before until `t_s`, and the lowest and highest within, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Point {
    t_s: f64,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most: Option<f64>,
}

#[derive(Debug, Serialize)]
struct View<'a> {
    format: &'static str,
    name: &'a str,
    array: String,
    between: String,
    from_s: f64,
    to_s: f64,
    mean_bytes_per_s: Option<f64>,
    bytes: u64,
    total_bytes: Option<u64>,
    sentence: Option<String>,
    series: Vec<Series>,
    pauses: Vec<Pause>,
    marks: Vec<Mark>,
    ceilings: Vec<Ceiling>,
}

#[derive(Debug, Serialize)]
struct Pause {
    from_s: f64,
    to_s: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Mark {
    t_s: f64,
    text: String,
}

#[derive(Debug, Serialize)]
struct Ceiling {
    name: &'static str,
    rate_bytes_per_s: f64,
}

/// A line a point, under a line of names.
pub(super) fn csv(row: &Row, scene: &Scene) -> String {
    let mut text = String::from("series,end,unit,t_s,value,least,most\r\n");
    for series in all(row, scene) {
        for point in &series.points {
            let [least, most] =
                [point.least, point.most].map(|value| value.map_or_else(String::new, |v| v.to_string()));
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "{},{},{},{},{},{least},{most}\r\n",
                series.name,
                series.end.name(),
                series.unit,
                point.t_s,
                point.value
            );
        }
    }
    text
}

/// The same, and what stands beside it.
pub(super) fn json(row: &Row, scene: &Scene, numbers: &Numbers) -> String {
    let (marks, _) = row.marks().between(scene.time.from_s, scene.time.to_s, usize::MAX);
    let view = View {
        format: "arraylift view 1",
        name: row.name(),
        array: row.array_in_words(),
        between: row.endpoint_in_words(),
        from_s: scene.time.from_s,
        to_s: scene.time.to_s,
        mean_bytes_per_s: scene.mean,
        bytes: numbers.done,
        total_bytes: numbers.total,
        sentence: row.sentence(),
        series: all(row, scene),
        pauses: scene
            .pauses
            .iter()
            .map(|pause| Pause {
                from_s: pause.from_s,
                to_s: pause.to_s,
            })
            .collect(),
        marks: marks
            .into_iter()
            .map(|mark| Mark {
                t_s: mark.t_s,
                text: mark.change.text(),
            })
            .collect(),
        ceilings: scene
            .ceilings
            .iter()
            .map(|ceiling| Ceiling {
                name: ceiling.name,
                rate_bytes_per_s: ceiling.rate,
            })
            .collect(),
    };
    // Names, numbers and texts: it cannot fail.
    serde_json::to_string_pretty(&view).unwrap_or_default() + "\n"
}

/// The rates of both ends, then whatever was counted of them, then the rates of several connections of the end that
/// counts.
fn all(row: &Row, scene: &Scene) -> Vec<Series> {
    let (from_s, to_s) = (scene.time.from_s, scene.time.to_s);
    let mut all = Vec::new();
    for &end in row.sides() {
        let runs = scene.curves.of_side(end).iter();
        let rate = |points: &Vec<CurvePoint>| Series {
            name: "rate".into(),
            end,
            unit: "B/s",
            points: points.iter().map(|point| with_spread(*point, end, scene)).collect(),
        };
        all.extend(runs.map(rate));
    }
    let bin_s = row.bin_between_s(from_s, to_s);
    for measure in Measure::ALL {
        for &end in row.sides() {
            let curve = row.end(end).meters.curve(measure, (from_s, to_s), bin_s);
            if !curve.is_empty() {
                all.push(Series {
                    name: measure.id().into(),
                    end,
                    unit: measure.unit(),
                    points: curve.iter().map(plain).collect(),
                });
            }
        }
    }
    for (number, runs) in row.stream_runs(from_s, to_s) {
        all.extend(runs.iter().map(|points| Series {
            name: format!("stream_{number}").into(),
            end: row.main_side(),
            unit: "B/s",
            points: points.iter().map(plain).collect(),
        }));
    }
    all
}

fn plain(point: &CurvePoint) -> Point {
    Point {
        t_s: point.t_s,
        value: point.value,
        least: None,
        most: None,
    }
}

fn with_spread(point: CurvePoint, end: Side, scene: &Scene) -> Point {
    let spread = scene.curves.spread_at(point.t_s);
    let spread = spread.filter(|spread| end == scene.main && (spread.t_s - point.t_s).abs() < 1e-9);
    Point {
        t_s: point.t_s,
        value: point.value,
        least: spread.map(|spread| spread.least),
        most: spread.map(|spread| spread.most),
    }
}
