use serde_json::{Value as Json, json};

use super::*;
use crate::app::model::format::{RateScale, count_rates_in};
use crate::app::model::plot_view::SecondPlot;
use crate::app::model::row::OtherProcess;
use crate::history::{Curves, Entry};
use crate::transfer::{Event, Side};

/// A sender of another process, of this name: 100 MB in a second, two of them at rest, then another second.
fn sent(name: &str) -> Row {
    let process = OtherProcess {
        pid: 7,
        side: Side::Sender,
        name: name.to_owned(),
        is_gone: false,
    };
    let mut row = Row::watched(1, process, 0.0);
    let mut tell = |elapsed_s: f64, mut event: Json| {
        event["transfer"] = json!(1);
        event["side"] = json!("sender");
        event["elapsed_s"] = json!(elapsed_s);
        let event: Event = serde_json::from_value(event).expect("an event");
        row.fold(event, elapsed_s);
    };
    tell(
        0.0,
        json!({
            "event": "started", "peer": "10.0.0.7:1", "wire": "native", "route_reason": "", "dtype": "f64",
            "shape": [25_000_000], "total_bytes": 200_000_000, "streams": 1, "chunk_bytes": 1 << 20
        }),
    );
    tell(0.0, json!({"event": "state", "state": "transferring"}));
    for step in 0..=20_u32 {
        tell(
            f64::from(step) * 0.05,
            json!({
                "event": "sample", "bytes": 5_000_000 * step, "rate_bytes_per_s": 1e8,
                "stream_bytes": [3_000_000 * step, 2_000_000 * step]
            }),
        );
    }
    tell(1.0, json!({"event": "state", "state": "paused"}));
    tell(3.0, json!({"event": "state", "state": "transferring"}));
    for step in 1..=20_u32 {
        let bytes = 100_000_000 + 5_000_000 * step;
        tell(
            3.0 + f64::from(step) * 0.05,
            json!({
                "event": "sample", "bytes": bytes, "rate_bytes_per_s": 1e8,
                "stream_bytes": [bytes / 5 * 3, bytes / 5 * 2]
            }),
        );
    }
    row
}

const SVG: &str = "http://www.w3.org/2000/svg";

fn text_of(format: Format, row: &Row) -> String {
    let export = of(format, row, PlotView::default(), None, 4.0).expect("a text");
    String::from_utf8(export.bytes).expect("a text")
}

#[test]
fn every_point_of_the_curve_is_a_line_and_no_line_is_of_a_pause() {
    let csv = text_of(Format::Csv, &sent("a.npy"));
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("series,end,unit,t_s,value,least,most"));
    let mut rates = 0;
    for line in lines.filter(|line| line.starts_with("rate,")) {
        let cells: Vec<&str> = line.split(',').collect();
        let (t_s, rate): (f64, f64) = (cells[3].parse().unwrap(), cells[4].parse().unwrap());
        assert_eq!((cells.len(), &cells[..3]), (7, &["rate", "sender", "B/s"][..]));
        assert!(t_s <= 1.0 + 1e-9 || t_s >= 3.0 - 1e-9, "{line}");
        assert!((rate - 1e8).abs() < 1e6, "{line}");
        rates += 1;
    }
    assert!(rates >= 8, "{csv}");
}

#[test]
fn of_several_streams_each_is_in_the_numbers_and_moves_nothing_in_a_pause() {
    let csv = text_of(Format::Csv, &sent("a.npy"));
    for (name, expected) in [("stream_1", 6e7), ("stream_2", 4e7)] {
        let lines = csv.lines().filter(|line| line.starts_with(name));
        let points: Vec<(f64, f64)> = lines
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (cells[3].parse().unwrap(), cells[4].parse().unwrap())
            })
            .collect();
        assert!(points.len() >= 6, "{csv}");
        for (t_s, rate) in points {
            assert!(t_s <= 1.0 + 1e-9 || t_s >= 3.0 - 1e-9, "{t_s} s");
            assert!((rate / expected - 1.0).abs() < 0.01, "{name}: {rate} at {t_s} s");
        }
    }
}

#[test]
fn what_stands_beside_the_curve_is_in_the_numbers_for_programs() {
    let view: Json = serde_json::from_str(&text_of(Format::Json, &sent("a.npy"))).unwrap();
    assert_eq!(
        (&view["name"], &view["total_bytes"]),
        (&json!("a.npy"), &json!(200_000_000))
    );
    assert_eq!(view["pauses"], json!([{"from_s": 1.0, "to_s": 3.0}]));
    let rates = view["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|series| series["name"] == "rate");
    assert_eq!(rates.count(), 2, "one before and one after the pause");
}

#[test]
fn a_drawing_has_its_unit_and_its_times_and_runs_and_loads_nothing() {
    let svg = text_of(Format::Svg, &sent("<script>alert(1)</script>&\u{202e}.npy"));
    for part in [
        "&lt;script&gt;alert(1)&lt;/script&gt;&amp;\u{fffd}.npy",
        ">MB/s<",
        ">0 s<",
        "paused 2.00 s",
        ">mean ",
    ] {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
    for never in ["<script", "href", "@import", "url(h", "NaN", "inf"] {
        assert!(!svg.contains(never), "{never} is in {svg}");
    }
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "svg");
    let lines = document
        .descendants()
        .filter(|node| node.has_tag_name((SVG, "polyline")));
    assert_eq!(lines.count(), 2, "no line leads over the pause");
}

#[test]
fn the_second_plot_is_drawn_below_with_its_own_lines_and_says_what_they_are() {
    let row = sent("a.npy");
    let view = PlotView {
        second: SecondPlot::EachStream,
        ..PlotView::default()
    };
    for format in [Format::Svg, Format::Html] {
        let export = of(format, &row, view, None, 4.0).expect("a text");
        let text = String::from_utf8(export.bytes).unwrap();
        for part in [
            "rate of each stream, MB/s",
            ">stream 1<",
            ">stream 2<",
            "stream 1 60.0 MB/s",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        // Two runs of the rate, and two of each connection: none leads over the pause.
        assert_eq!(text.matches("<polyline").count(), 6);
    }
}

#[test]
fn a_run_of_the_history_is_saved_in_every_form_but_a_picture() {
    let mut run = Run {
        entry: Entry {
            source: Some("a.npy".into()),
            bytes: 300,
            rate_bytes_per_s: 1e9,
            ..Entry::default()
        },
        curves: Curves::default(),
    };
    for step in 0..4_u32 {
        run.curves.push(Side::Receiver, f64::from(step), u64::from(step) * 100);
    }
    count_rates_in(RateScale::Bits);
    let saved = |format| of_run(format, &run).map(|export| (export.name, String::from_utf8(export.bytes).unwrap()));
    assert_eq!(saved(Format::Png), None);
    let (name, svg) = saved(Format::Svg).unwrap();
    assert!(name.ends_with(".arraylift.svg"), "{name}");
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert!(document.descendants().any(|node| node.has_tag_name((SVG, "polyline"))));
    let (_, html) = saved(Format::Html).unwrap();
    assert!(html.contains("8.00 Gbit/s") && html.contains("<svg"), "{html}");
    let (_, csv) = saved(Format::Csv).unwrap();
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let (_, json) = saved(Format::Json).unwrap();
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["bytes"], &json["curves"]["receiver"][3]),
        (&json!(300), &json!([3.0, 300]))
    );
}

#[test]
fn a_report_has_the_drawing_and_the_facts_and_runs_and_loads_nothing() {
    let page = text_of(Format::Html, &sent("<b>a</b>.npy"));
    for part in [
        "<h1>&lt;b&gt;a&lt;/b&gt;.npy</h1>",
        "<polyline",
        "<tr><th>moved</th><td>200 of 200 MB</td></tr>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    for never in ["<b>", "<script", "src=", "href", "@import", "url(h"] {
        assert!(!page.contains(never), "{never} is in {page}");
    }
}

#[test]
fn a_summary_says_what_was_moved_and_how_fast() {
    let summary = markdown(&sent("a|b.npy"), 4.0);
    assert!(summary.starts_with("### a\\|b.npy\n"), "{summary}");
    assert!(summary.contains("| moved | 200 of 200 MB |"), "{summary}");
    assert!(summary.contains("| rate | 100 MB/s |"), "{summary}");
}

#[test]
fn a_name_that_is_offered_is_one_that_a_file_can_have() {
    assert_eq!(file_name("range 0 … 5e7", "svg"), "range 0 … 5e7.arraylift.svg");
    assert_eq!(file_name("../a/b\n.npy", "csv"), "a-b-.npy.arraylift.csv");
    assert_eq!(file_name("..", "png"), "transfer.arraylift.png");
    assert!(file_name(&"数".repeat(300), "json").len() < 200);
}
