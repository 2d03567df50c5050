//! One transfer to take along: as Markdown, as a page of HTML without scripts, as a table of its bytes over time.

use std::fmt::Write as _;

use crate::documents::{Page, markdown_table};
use crate::language::Language;
use crate::units::{self, RateScale};

use super::curve::Curves;
use super::entry::Entry;
use super::words;

/// A smaller share is left out: it would be 0 %.
pub(crate) const SHARE_MIN: f64 = 0.005;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;

/// What is known of an entry, a name and a value each, without what is not known.
pub(crate) fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let bytes = match entry.total_bytes {
        Some(total) if total != entry.bytes && entry.transfers <= 1 => units::done_of(entry.bytes, total),
        _ => units::bytes(entry.bytes).to_string(),
    };
    let there = (entry.resumed_bytes > 0).then(|| format!("{} were there already", units::bytes(entry.resumed_bytes)));
    let (time, rate) = (units::duration(entry.seconds), units::rate(entry.rate_bytes_per_s));
    let cpu = |cpu_s: Option<f64>| cpu_s.map(units::duration);
    let shares = entry
        .shares
        .iter()
        .filter(|(_, share)| *share >= SHARE_MIN)
        .map(|(cause, share)| format!("{} {:.0} %", cause.name(), share * 100.0));
    // What is told of arrays says nothing of a folder.
    let array = entry.dtype.as_ref().filter(|_| entry.items.is_none());
    let facts = [
        ("began", Some(format!("{} ({})", entry.when(), entry.began_utc()))),
        ("ended", Some(entry.how_it_ended())),
        ("message", entry.message.clone()),
        ("moved", Some(format!("{bytes} in {time}: {rate}"))),
        ("before", there),
        ("array", array.map(|dtype| format!("{dtype} {:?}", entry.shape))),
        ("folder", entry.items.as_ref().map(words::items)),
        ("until on disk", entry.sync_s.map(units::duration)),
        ("checksum", entry.checksum.clone()),
        ("written to", entry.path.clone()),
        ("peer", entry.peer.clone()),
        ("how", Some(how(entry))),
        ("sender's CPU", cpu(entry.sender_cpu_s)),
        ("receiver's CPU", cpu(entry.receiver_cpu_s)),
        ("limit", entry.sentence.clone()),
        ("shares", Some(shares.collect::<Vec<_>>().join(", "))),
    ];
    let known = |(name, value): (&'static str, Option<String>)| Some((name, value.filter(|value| !value.is_empty())?));
    facts.into_iter().filter_map(known).collect()
}

fn how(entry: &Entry) -> String {
    let wire = entry.wire.as_ref().map(|wire| format!("{wire} wire"));
    let leaves = entry.send_route.as_ref().map(|route| format!("leaves by {route}"));
    let lands = entry.receive_route.as_ref().map(|route| format!("lands by {route}"));
    let streams = (entry.streams > 1).then(|| format!("{} connections", entry.streams));
    let parts: Vec<String> = [wire, leaves, lands, streams].into_iter().flatten().collect();
    parts.join(", ")
}

/// A heading and a table.
pub(crate) fn markdown(entry: &Entry) -> String {
    markdown_table(&entry.what(), &facts(entry))
}

/// A page that loads nothing and runs nothing: a picture of its rate over time, and what is known of it.
pub(crate) fn html(entry: &Entry, curves: &Curves) -> String {
    let page = Page {
        title: &entry.what(),
        sentence: entry.sentence.as_deref(),
        picture: &drawing(curves, RateScale::Bytes),
        facts: &facts(entry),
        program_version: &entry.program_version,
        language: Language::English,
    };
    page.html()
}

const PICTURE_STYLE: &str = ".s{stroke:#0072b2}.r{stroke:#cc7a00}.a{stroke:#cfd5db}text{fill:#545e69;font-size:12px}\
@media(prefers-color-scheme:dark){.s{stroke:#56b4e9}.r{stroke:#e69f00}.a{stroke:#303740}text{fill:#a0a9b4}}";

/// The rates of the ends over time as SVG; nothing where there are none.
pub(crate) fn drawing(curves: &Curves, scale: RateScale) -> String {
    let ends = [("s", "sender", &curves.sender), ("r", "receiver", &curves.receiver)];
    let rates: Vec<_> = ends
        .iter()
        .map(|(class, name, curve)| (*class, *name, curve.rates()))
        .filter(|(_, _, rates)| !rates.is_empty())
        .collect();
    let all = || rates.iter().flat_map(|(_, _, rates)| rates);
    let most = all().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let end_s = all().map(|(t_s, _)| *t_s).fold(0.0, f64::max);
    if most <= 0.0 || end_s <= 0.0 {
        return String::new();
    }
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"rate over time\">\n\
         <style>{PICTURE_STYLE}</style>\n\
         <path class=\"a\" fill=\"none\" d=\"M0 {HEIGHT}H{WIDTH}M0 1H{WIDTH}\"/>\n\
         <text x=\"0\" y=\"14\">{}</text><text x=\"{WIDTH}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n",
        HEIGHT + 20.0,
        scale.rate(most),
        HEIGHT + 16.0,
        units::duration(end_s),
    );
    for (index, (class, name, rates)) in rates.iter().enumerate() {
        let points = rates.iter().map(|(t_s, rate)| {
            format!(
                "{:.1},{:.1}",
                t_s / end_s * WIDTH,
                HEIGHT - rate / most * (HEIGHT - 20.0)
            )
        });
        let points: Vec<String> = points.collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"{class}\" fill=\"none\" stroke-width=\"1.5\" points=\"{}\"/>\n\
             <text x=\"{}\" y=\"{:.0}\">{name}</text><path class=\"{class}\" stroke-width=\"3\" d=\"M{} {:.0}h14\"/>",
            points.join(" "),
            index * 90 + 20,
            HEIGHT + 16.0,
            index * 90,
            HEIGHT + 12.0,
        );
    }
    svg + "</svg>\n"
}

/// The bytes over time of each end, a line a point.
pub(crate) fn csv(curves: &Curves) -> String {
    let mut text = String::from("end,elapsed_s,bytes\n");
    for (name, curve) in [("sender", &curves.sender), ("receiver", &curves.receiver)] {
        for (t_s, bytes) in curve.points() {
            let _ = writeln!(text, "{name},{t_s},{bytes}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Side;

    fn entry() -> Entry {
        Entry {
            source: Some("<script>alert(1)</script>|a\u{202e}.npy".into()),
            bytes: 1000,
            total_bytes: Some(2000),
            sentence: Some("The network was the limit & more.".into()),
            ..Entry::default()
        }
    }

    #[test]
    fn a_page_runs_nothing_loads_nothing_and_has_what_is_known() {
        let mut curves = Curves::default();
        for step in 0..10_u32 {
            curves.push(Side::Sender, f64::from(step), u64::from(step) * 100);
        }
        let page = html(&entry(), &curves);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        assert!(
            page.contains("polyline class=\"s\"") && !page.contains("class=\"r\" fill"),
            "{page}"
        );
        assert!(page.contains("limit &amp; more"), "{page}");
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http://", "https://", "src=", "href=", "@import", "url(", "\u{202e}"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(!html(&entry(), &Curves::default()).contains("<svg"));
    }

    #[test]
    fn a_name_breaks_no_table_of_markdown() {
        let text = markdown(&entry());
        assert!(text.starts_with("### &lt;script>"), "{text}");
        let rows = text.lines().filter(|line| line.starts_with('|'));
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 3, "{row}");
        }
    }

    #[test]
    fn a_point_is_a_line_of_csv() {
        let mut curves = Curves::default();
        curves.push(Side::Receiver, 0.0, 0);
        curves.push(Side::Receiver, 1.5, 7);
        assert_eq!(csv(&curves), "end,elapsed_s,bytes\nreceiver,0,0\nreceiver,1.5,7\n");
    }
}
