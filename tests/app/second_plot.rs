//! What is pointed at: a line through both plots with the values of both, whichever of them the pointer is over, and the
//! band of limits below them.

use eframe::egui::{Modifiers, Rect, Shape, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::instrument::eventful;
use super::{Window, sized};

const FIRST: &str = "Rates over time: ";
const FAULTS: &str = "page faults a second over time: sender ";
const CPU: &str = "CPU, cores over time: sender ";

/// A window with the instrument, and this series in its second plot.
fn shown(series: &str) -> Window {
    let mut window = sized(1280.0, 900.0);
    window.state_mut().stop_clock(15.0);
    eventful(window.state_mut());
    window.run();
    pick(&mut window, series);
    window
}

fn pick(window: &mut Window, series: &str) {
    window.get_by_label("Second plot").click();
    window.run();
    window.get_by_label(series).click();
    window.run();
}

fn rect_of(window: &Window, plot: &str) -> Rect {
    window.get_by_label_contains(plot).rect()
}

/// Points at the plot, at this part of its width.
fn point_at(window: &mut Window, plot: &str, part: f32) {
    let rect = rect_of(window, plot);
    let at = pos2(rect.left() + rect.width() * part, rect.bottom() - 0.25 * rect.height());
    window.hover_at(at);
    // Until what is said there is shown.
    window.run_steps(6);
}

/// The lines of text that are shown beside the pointer.
fn values_at_pointer(window: &Window) -> Vec<String> {
    let texts = window.query_all_by_label_contains("");
    let texts = texts.filter_map(|node| node.accesskit_node().value());
    let of_plots = ["received ", "sent ", "sender ", "receiver ", "moved until then "];
    texts
        .filter(|text| of_plots.iter().any(|begin| text.starts_with(begin)))
        .collect()
}

/// The upright lines at this place, from where to where.
fn lines_at(window: &Window, x: f32) -> Vec<(f32, f32)> {
    let shapes = window.output().shapes.iter();
    let lines = shapes.filter_map(|clipped| match &clipped.shape {
        Shape::LineSegment { points: [a, b], .. } => Some((*a, *b)),
        _ => None,
    });
    lines
        .filter(|(a, b)| (a.x - x).abs() < 1.0 && (b.x - x).abs() < 1.0)
        .map(|(a, b)| (a.y.min(b.y), a.y.max(b.y)))
        .collect()
}

#[test]
fn one_line_goes_through_both_plots_with_the_values_of_both_whichever_is_pointed_at() {
    let mut window = shown("CPU, cores");
    let mut said = Vec::new();
    for plot in [CPU, FIRST] {
        window.remove_cursor();
        window.run();
        assert!(values_at_pointer(&window).is_empty(), "nothing is pointed at");
        let second = rect_of(&window, CPU);
        // The first plot has both under it.
        let first = rect_of(&window, FIRST).with_max_y(second.top());
        let over = if plot == CPU { second } else { first };
        let at = pos2(second.left() + 0.3 * second.width(), over.center().y);
        window.hover_at(at);
        // Until what is said there is shown.
        window.run_steps(6);
        let through = |line: &(f32, f32)| line.0 < first.center().y && line.1 > second.center().y;
        assert!(lines_at(&window, at.x).iter().any(through), "{plot}");
        let values = values_at_pointer(&window);
        for begin in ["sent ", "received ", "moved until then ", "sender ", "receiver "] {
            assert!(
                values.iter().any(|value| value.starts_with(begin)),
                "{plot}: {begin} in {values:?}"
            );
        }
        said.push(values);
    }
    assert_eq!(said[0], said[1], "the same instant");
}

#[test]
fn another_series_has_other_values_at_the_same_instant() {
    let mut window = shown("CPU, cores");
    point_at(&mut window, CPU, 0.3);
    let of_cpu = values_at_pointer(&window);
    window.remove_cursor();
    window.run();
    pick(&mut window, "page faults a second");
    assert!(
        window.query_by_label_contains(CPU).is_none(),
        "one takes the place of the other"
    );
    point_at(&mut window, FAULTS, 0.3);
    let of_faults = values_at_pointer(&window);
    let of = |values: &[String], begin: &str| values.iter().find(|value| value.starts_with(begin)).cloned();
    assert_eq!(of(&of_cpu, "moved until then "), of(&of_faults, "moved until then "));
    for end in ["sender ", "receiver "] {
        let (cpu, faults) = (of(&of_cpu, end).unwrap(), of(&of_faults, end).unwrap());
        assert!(cpu != faults, "{cpu}, {faults}");
    }
}

#[test]
fn an_instant_that_stays_goes_through_both_plots_and_so_does_what_is_counted_between_two() {
    let mut window = shown("CPU, cores");
    let (first, second) = (rect_of(&window, FIRST), rect_of(&window, CPU));
    let at = |part: f32| pos2(second.left() + part * second.width(), second.center().y);
    super::instrument::click(&mut window, at(0.2), Modifiers::NONE);
    let stays = lines_at(&window, at(0.2).x);
    let through = |line: &(f32, f32)| line.0 <= first.top() + 30.0 && line.1 >= second.center().y;
    window.remove_cursor();
    window.run();
    assert!(stays.iter().any(through), "{stays:?}");
    assert!(
        lines_at(&window, at(0.2).x).iter().any(through),
        "without the pointer, too"
    );
    super::instrument::click(&mut window, at(0.4), Modifiers::SHIFT);
    window.get_by_label_contains(" between, ");
    window.get_by_label_contains(" on a core");
}

#[test]
fn a_span_of_the_band_says_from_when_to_when_and_what_the_limit_was() {
    let mut window = shown("CPU, cores");
    let band = rect_of(&window, "The limit over time: ");
    let texts = |window: &Window, part: &str| -> Vec<String> {
        let texts = window.query_all_by_label_contains(part);
        texts.filter_map(|node| node.accesskit_node().value()).collect()
    };
    let spans = |window: &Window| -> Vec<String> {
        let mut texts = texts(window, " s to ");
        texts.retain(|text| text.starts_with(|first: char| first.is_ascii_digit()));
        texts
    };
    let mut ends = Vec::new();
    for part in [0.3, 0.55] {
        window.hover_at(pos2(band.left() + part * band.width(), band.center().y));
        window.run_steps(6);
        let said = spans(&window);
        let [span] = said.as_slice() else { panic!("{said:?}") };
        let times: Vec<f64> = span.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
        let [from_s, to_s, length_s] = times.as_slice() else {
            panic!("{span}")
        };
        assert!(((to_s - from_s) - length_s).abs() < 0.02, "{span}");
        ends.push((*from_s, *to_s));
        let mut shares = texts(&window, "receiver ");
        shares.retain(|share| share.starts_with("receiver ") && share.ends_with("\u{a0}%"));
        assert_eq!(shares.len(), 1, "{shares:?}");
    }
    assert!(ends[0].1 <= ends[1].0, "one after the other: {ends:?}");
    window.remove_cursor();
    window.run_steps(6);
    assert!(spans(&window).is_empty());
}
