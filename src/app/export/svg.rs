//! The plot, and the second one below it, as a drawing of its own, for papers and pages: SVG 1.1 without scripts, links
//! or fonts from elsewhere.

use std::fmt::Write as _;

use crate::app::model::format;
use crate::app::model::lane::apart;
use crate::app::model::row::{Numbers, Row};
use crate::app::model::second_plot::{LineOf, SecondScene};
use crate::app::panels::instrument::plot::scene::Scene;
use crate::app::theme;
use crate::app::words::say;
use crate::text::xml_escaped;
use crate::transfer::Side;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
/// To the right of the plot stand the names of the mean and of the ceilings.
const RIGHT: f64 = 768.0;
const EDGE: f64 = 936.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 396.0;
/// The second plot, and what it makes the drawing higher by.
const SECOND_TOP: f64 = 456.0;
const SECOND_BOTTOM: f64 = 556.0;
const SECOND_HEIGHT: f64 = 160.0;
const SECOND_VALUES_MAX: f64 = 4.0;
/// The names of the connections stand beside it in columns of so many.
const STREAMS_A_COLUMN: usize = 8;
const STREAM_HEIGHT: f64 = 13.0;
const STREAM_WIDTH: f64 = 76.0;
/// At most so many numbers stand along each axis.
const TIMES_MAX: f64 = 9.0;
const RATES_MAX: f64 = 7.0;
const LABEL_HEIGHT: f32 = 16.0;
/// Of very many rounds at most so many are flagged.
const ROUNDS_MAX: usize = 8;
/// Two flags of which the later one is nearer than this have their names one above the other.
const FLAG_WIDTH: f64 = 90.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#545e69}.title{font-size:16px;fill:#15191e}\
.sender{stroke:#0072b2}.receiver{stroke:#cc7a00}.area{fill:#cc7a00;fill-opacity:.14}.area.of-sender{fill:#0072b2}\
.band{fill:#cc7a00;fill-opacity:.2}.band.of-sender{fill:#0072b2}.line{fill:none;stroke-width:2}.other{stroke-width:1.2}\
.grid{stroke:#e4e8ec}.axis{stroke:#8a949e}.mean{stroke:#15191e;stroke-dasharray:5 3}.ceiling{stroke:#545e69;\
stroke-dasharray:1.5 2.5}.pause{fill:url(#hatch)}.flag{stroke:#15191e;stroke-opacity:.5}";

/// Draws both, where there is a second one.
pub(super) fn drawing(row: &Row, scene: &Scene, second: Option<&SecondScene>, numbers: &Numbers) -> String {
    let mut svg = Drawing {
        scene,
        text: String::new(),
    };
    svg.begin(row, second, numbers);
    svg.pauses((TOP, BOTTOM), true);
    svg.axes();
    svg.curves();
    svg.levels();
    svg.flags(row);
    if let Some(second) = second {
        svg.second(second);
    }
    svg.text + "</svg>\n"
}

struct Drawing<'a> {
    scene: &'a Scene,
    text: String,
}

impl Drawing<'_> {
    fn x(&self, t_s: f64) -> f64 {
        let time = self.scene.time;
        LEFT + ((t_s - time.from_s) / time.length_s()).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, rate: f64) -> f64 {
        BOTTOM - self.scene.axis.part(rate).clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(element);
        self.text.push('\n');
    }

    fn words(&mut self, (x, y): (f64, f64), anchor: &str, words: &str) {
        let words = xml_escaped(words);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
        ));
    }

    fn begin(&mut self, row: &Row, second: Option<&SecondScene>, numbers: &Numbers) {
        let height = HEIGHT + second.map_or(0.0, |_| SECOND_HEIGHT);
        let mut said = self.scene.in_a_sentence(row, numbers);
        if let Some(second) = second {
            said = [said, second.in_a_sentence()].join(". ");
        }
        let said = xml_escaped(&said);
        self.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\">\n<title>{said}</title>\n<style>{STYLE}</style>\n\
             <defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#f2f4f6\"/>\
             <path d=\"M0 0V6\" stroke=\"#c3cad1\" stroke-width=\"2\"/></pattern></defs>\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>"
        ));
        let name = xml_escaped(row.name());
        self.put(format_args!(
            "<text class=\"title\" x=\"{LEFT}\" y=\"28\">{name}</text>"
        ));
        let words = format!("{}, {}", row.array_in_words(), row.endpoint_in_words());
        self.words((LEFT, 48.0), "start", &words);
        let mut x = EDGE;
        for side in [Side::Receiver, Side::Sender] {
            if self.scene.curves.of_side(side).is_empty() {
                continue;
            }
            self.words((x, 28.0), "end", &LineOf::End(side).name());
            let class = side.name();
            let (from, to) = (x - 84.0, x - 64.0);
            self.put(format_args!("<path class=\"line {class}\" d=\"M{from} 24H{to}\"/>"));
            x -= 104.0;
        }
    }

    fn pauses(&mut self, (top, bottom): (f64, f64), are_named: bool) {
        for pause in &self.scene.pauses {
            let (from, to) = (self.x(pause.from_s), self.x(pause.to_s.unwrap_or(pause.from_s)));
            let (width, height) = (to - from, bottom - top);
            self.put(format_args!(
                "<rect class=\"pause\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
            ));
            if are_named && width > 80.0 {
                let length_s = pause.to_s.unwrap_or(pause.from_s) - pause.from_s;
                let words = say!("plot-paused", time = format::duration(length_s));
                self.words((f64::midpoint(from, to), f64::midpoint(top, bottom)), "middle", &words);
            }
        }
    }

    fn axes(&mut self) {
        let unit = self.scene.unit;
        self.words((LEFT - 8.0, TOP - 12.0), "end", unit.name);
        for tick in self.scene.axis.ticks(unit.divisor, RATES_MAX) {
            let y = self.y(tick.value);
            self.put(format_args!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
            self.words((LEFT - 8.0, y + 4.0), "end", &tick.label);
        }
        self.times(BOTTOM);
    }

    /// The time axis at a height, with its numbers.
    fn times(&mut self, y: f64) {
        self.put(format_args!("<path class=\"axis\" d=\"M{LEFT} {y}H{RIGHT}\"/>"));
        for tick in self.scene.time.ticks(TIMES_MAX) {
            let x = self.x(tick.value);
            self.put(format_args!("<path class=\"axis\" d=\"M{x:.1} {y}v4\"/>"));
            self.words((x, y + 20.0), "middle", &tick.label);
        }
    }

    fn curves(&mut self) {
        let scene = self.scene;
        let main = scene.main.name();
        for run in &scene.curves.spread {
            let up = run.iter().map(|span| self.point(span.t_s, span.most));
            let down = run.iter().rev().map(|span| self.point(span.t_s, span.least));
            let points = up.chain(down).collect::<Vec<_>>().join(" ");
            self.put(format_args!("<polygon class=\"band of-{main}\" points=\"{points}\"/>"));
        }
        for run in scene.curves.of_side(scene.main) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else {
                continue;
            };
            let line = self.points(run.iter().map(|point| (point.t_s, point.value)));
            let (from, to) = (self.x(first.t_s), self.x(last.t_s));
            self.put(format_args!(
                "<polygon class=\"area of-{main}\" points=\"{from:.1},{BOTTOM} {line} {to:.1},{BOTTOM}\"/>"
            ));
        }
        for side in [scene.main.other(), scene.main] {
            let thin = if side == scene.main { "" } else { " other" };
            for run in scene.curves.of_side(side) {
                let line = self.points(run.iter().map(|point| (point.t_s, point.value)));
                let class = side.name();
                self.put(format_args!(
                    "<polyline class=\"line{thin} {class}\" points=\"{line}\"/>"
                ));
            }
        }
    }

    fn point(&self, t_s: f64, rate: f64) -> String {
        format!("{:.1},{:.1}", self.x(t_s), self.y(rate))
    }

    fn points(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let points = points.map(|(t_s, rate)| self.point(t_s, rate));
        points.collect::<Vec<_>>().join(" ")
    }

    /// The mean and the ceilings within the scale, each with its number beside the plot.
    fn levels(&mut self) {
        let mean = self.scene.mean.map(|mean| ("mean", say!("row-mean"), mean));
        let ceilings = self.scene.ceilings.iter();
        let ceilings = ceilings.map(|ceiling| ("ceiling", ceiling.name, ceiling.rate));
        let levels = mean.into_iter().chain(ceilings);
        let levels: Vec<(&str, &str, f64)> = levels.filter(|(_, _, rate)| *rate <= self.scene.axis.end()).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a coordinate")]
        let wanted: Vec<f32> = levels.iter().map(|(_, _, rate)| self.y(*rate) as f32).collect();
        let places = apart(&wanted, LABEL_HEIGHT, (0.0, 1e4));
        for ((class, name, rate), place) in levels.into_iter().zip(places) {
            let y = self.y(rate);
            self.put(format_args!("<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
            let words = format!("{name} {}", self.scene.unit.quantity(rate));
            self.words((RIGHT + 8.0, f64::from(place) + 4.0), "start", &words);
        }
    }

    fn flags(&mut self, row: &Row) {
        let time = self.scene.time;
        let (marks, _) = row.marks().between(time.from_s, time.to_s, ROUNDS_MAX);
        let mut before = f64::NEG_INFINITY;
        let mut is_lower = false;
        for mark in marks {
            let x = self.x(mark.t_s);
            self.put(format_args!(
                "<path class=\"flag\" d=\"M{x:.1} {}V{BOTTOM}\"/>",
                TOP - 20.0
            ));
            is_lower = x - before < FLAG_WIDTH && !is_lower;
            let y = if is_lower { TOP - 10.0 } else { TOP - 24.0 };
            if x - before >= FLAG_WIDTH / 2.0 {
                self.words((x + 4.0, y), "start", &mark.change.text());
                before = x;
            }
        }
    }

    /// The second plot: its axis, and its lines in the colours of the ends or of the connections.
    fn second(&mut self, second: &SecondScene) {
        let y_of = |value: f64| SECOND_BOTTOM - second.axis.part(value).clamp(0.0, 1.0) * (SECOND_BOTTOM - SECOND_TOP);
        self.words((LEFT, SECOND_TOP - 10.0), "start", &second.heading());
        self.pauses((SECOND_TOP, SECOND_BOTTOM), false);
        for tick in second.axis.ticks(second.scale().0, SECOND_VALUES_MAX) {
            let y = y_of(tick.value);
            self.put(format_args!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
            self.words((LEFT - 8.0, y + 4.0), "end", &tick.label);
        }
        self.times(SECOND_BOTTOM);
        for (index, line) in second.lines.iter().enumerate() {
            let colour = match line.of {
                LineOf::End(side) => format!("class=\"line other {}\"", side.name()),
                LineOf::Stream(number) => {
                    let [red, green, blue, _] = theme::stream_colour(number, false).to_array();
                    format!("class=\"line other\" stroke=\"#{red:02x}{green:02x}{blue:02x}\"")
                }
            };
            for run in &line.runs {
                let points = run
                    .iter()
                    .map(|drawn| format!("{:.1},{:.1}", self.x(drawn.t_s), y_of(drawn.value)));
                let points = points.collect::<Vec<_>>().join(" ");
                self.put(format_args!("<polyline {colour} points=\"{points}\"/>"));
            }
            if matches!(line.of, LineOf::Stream(_)) {
                let x = RIGHT + 8.0 + (index / STREAMS_A_COLUMN) as f64 * STREAM_WIDTH;
                let y = SECOND_TOP + 6.0 + (index % STREAMS_A_COLUMN) as f64 * STREAM_HEIGHT;
                self.put(format_args!("<path {colour} d=\"M{x} {:.1}h12\"/>", y - 4.0));
                self.words((x + 18.0, y), "start", &line.of.name());
            }
        }
    }
}
