//! The picture of an array as it is drawn: what its tiles come to in so many columns, and how much of it they are of.

use super::plot_view::TileValue;
use crate::app::words::{say, translated};
use crate::array::{TileStats, Value};
use crate::transfer::{LACKED_A_CORE, NONE_OF, Stats, TiledArray};
use crate::units;

/// Some tiles beside each other. What none of them has looked at is not in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Column {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
}

/// What a tile is drawn as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// Nobody has looked at it.
    Unseen,
    /// It has NaN and infinities alone.
    NotFinite,
    /// Its value, from 0 for the least one of the array to 1 for the greatest.
    Value(f32),
}

/// The least and the greatest of all finite values; `None` where there are none.
pub(crate) fn range(tiles: &TiledArray) -> Option<(f64, f64)> {
    let finite = || tiles.tiles.iter().filter(|tile| !tile.min.is_nan());
    let least = finite().map(|tile| tile.min).reduce(f64::min)?;
    Some((least, finite().map(|tile| tile.max).reduce(f64::max)?))
}

/// A strip in so many columns, each of as many tiles as come to lie in it; `None` where nobody has looked.
pub(crate) fn columns(tiles: &TiledArray, count: usize) -> Vec<Option<Column>> {
    let all = tiles.tiles.len();
    let count = count.min(all).max(1);
    (0..count)
        .map(|index| column(&tiles.tiles[index * all / count..((index + 1) * all / count).min(all)]))
        .collect()
}

fn column(tiles: &[TileStats]) -> Option<Column> {
    let finite = || tiles.iter().filter(|tile| !tile.min.is_nan());
    // Each tile is as much of the array as any other, however much of it was looked at.
    let weight = |tile: &TileStats| 1.0 - tile.not_finite as f64 / tile.seen.max(1) as f64;
    let all: f64 = finite().map(weight).sum();
    Some(Column {
        min: finite().map(|tile| tile.min).reduce(f64::min)?,
        max: finite().map(|tile| tile.max).reduce(f64::max)?,
        mean: finite().map(|tile| tile.mean * (weight(tile) / all)).sum(),
    })
}

/// The cells of an image that shows this value of each tile, in the order of its tiles.
pub(crate) fn cells(tiles: &TiledArray, shows: TileValue) -> Vec<Cell> {
    let (least, most) = range(tiles).unwrap_or_default();
    let value = |tile: &TileStats| match shows {
        TileValue::Min => tile.min,
        TileValue::Mean => tile.mean,
        TileValue::Max => tile.max,
    };
    tiles
        .tiles
        .iter()
        .map(|tile| match tile {
            tile if tile.seen == 0 => Cell::Unseen,
            tile if tile.min.is_nan() => Cell::NotFinite,
            tile => Cell::Value(share(value(tile), (least, most))),
        })
        .collect()
}

/// Where a value lies between the ends of a range, from 0 to 1; in the middle of one without a length.
pub(crate) fn share(value: f64, (least, most): (f64, f64)) -> f32 {
    // Halves, so that the whole of `f64` has a length.
    let length = most / 2.0 - least / 2.0;
    if length <= 0.0 {
        return 0.5;
    }
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
    let share = ((value / 2.0 - least / 2.0) / length) as f32;
    share.clamp(0.0, 1.0)
}

/// The counts of a histogram in at most so many bins.
pub(crate) fn bins(counts: &[u64], most: usize) -> Vec<u64> {
    let together = counts.len().div_ceil(most.max(1)).max(1);
    counts.chunks(together).map(|counts| counts.iter().sum()).collect()
}

/// The first tile of which both ends have seen every value, and not the same.
pub(crate) fn first_difference(one: &TiledArray, other: &TiledArray) -> Option<usize> {
    if one.grid != other.grid {
        return None;
    }
    (0..one.tiles.len().min(other.tiles.len())).find(|index| {
        let (one_tile, other_tile) = (&one.tiles[*index], &other.tiles[*index]);
        let differ = |of: fn(&TileStats) -> f64| of(one_tile).to_bits() != of(other_tile).to_bits();
        let are_whole = || {
            let (_, elements) = one.grid.elements_of(*index);
            one_tile.seen == elements && other_tile.seen == elements
        };
        (differ(|tile| tile.min) || differ(|tile| tile.max) || one_tile.not_finite != other_tile.not_finite)
            && are_whole()
    })
}

/// How much of the array was looked at: `all looked at`, `1 in 33 looked at`, and that it was so little as the transfer
/// lacked a core.
pub(crate) fn how_much(stats: &Stats) -> String {
    let much = share_looked_at(stats);
    if stats.left_out.as_deref().and_then(lacked_a_core).is_some() {
        return say!("picture-lacking-core", much = much);
    }
    much
}

/// Why others were not looked at, in the window's words.
pub(crate) fn why_not(stats: &Stats) -> Option<String> {
    let told = stats.left_out.as_deref()?;
    let why = lacked_a_core(told).map(|time| say!("picture-lacked-core", time = time));
    let none_of = || {
        told.strip_prefix(NONE_OF)
            .map(|dtype| say!("picture-none-of", dtype = dtype))
    };
    Some(why.or_else(none_of).unwrap_or_else(|| translated(told).to_owned()))
}

/// For how long hardly anything was looked at, where that is why.
fn lacked_a_core(told: &str) -> Option<&str> {
    let (before, behind) = LACKED_A_CORE;
    told.strip_prefix(before)?.strip_suffix(behind)
}

fn share_looked_at(stats: &Stats) -> String {
    let (seen, all) = (stats.array.seen, stats.values);
    match all as f64 / seen as f64 {
        _ if seen == 0 => say!("picture-none-looked-at").to_owned(),
        _ if seen >= all => say!("picture-all-looked-at").to_owned(),
        one_in if one_in >= 1.95 => say!("picture-one-in", count = grouped(&format!("{one_in:.0}"))),
        _ => {
            let percent = format!("{:.0}", (seen as f64 / all as f64 * 100.0).min(99.0));
            say!("picture-percent", percent = percent)
        }
    }
}

/// What the picture says in words.
pub(crate) fn sentence(stats: &Stats) -> String {
    let array = &stats.array;
    let [min, max] = [&array.min, &array.max].map(|value| value.as_ref().map(|value| grouped(&value.to_string())));
    let counted = |count: u64| Some(count).filter(|count| *count > 0);
    let parts = [
        min.map(|min| say!("picture-min", value = min)),
        array.mean.map(|mean| say!("picture-mean", value = short(mean))),
        max.map(|max| say!("picture-max", value = max)),
        counted(array.nan).map(|count| say!("picture-nan", count = count)),
        counted(array.infinite).map(|count| say!("picture-infinite", count = count)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return why_not(stats).unwrap_or_else(|| how_much(stats));
    }
    parts.join(say!("comma"))
}

/// A value at a glance.
pub(crate) fn glanced(value: &Value) -> String {
    match value {
        Value::Float(number) => short(*number),
        other => grouped(&other.to_string()),
    }
}

/// A number with so many figures as are read at a glance. Its exponent stays.
pub(crate) fn short(number: f64) -> String {
    grouped(&figures(number))
}

/// A number with commas between the thousands before its point. What has an exponent, or is no number, stays as it is.
fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    match whole.parse::<u64>() {
        Ok(count) if !fraction.contains('e') => format!("{sign}{}{fraction}", units::count(count)),
        _ => number.to_owned(),
    }
}

fn figures(number: f64) -> String {
    let plain = Value::Float(number).to_string();
    if plain.len() <= 9 {
        return plain;
    }
    if (1e-3..1e9).contains(&number.abs()) {
        let whole = number.abs().log10().floor().max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8")]
        let digits = 6_usize.saturating_sub(whole as usize);
        return format!("{number:.digits$}");
    }
    format!("{number:.4e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::speak;
    use crate::array::{ArrayMeta, Dtype, Statistics};
    use crate::language::Language;

    fn tiles(bytes: &[u8], seen: std::ops::Range<usize>) -> TiledArray {
        let meta = ArrayMeta::vector(Dtype::u8(), bytes.len() as u64).expect("an array");
        let mut statistics = Statistics::of(&meta).expect("numbers");
        statistics.see(seen.start as u64, &bytes[seen], 1);
        TiledArray {
            meta,
            grid: *statistics.grid(),
            tiles: statistics.tiles(),
        }
    }

    #[test]
    fn columns_have_the_extremes_and_the_mean_of_their_tiles() {
        let ramp: Vec<u8> = (0..200).collect();
        let columns = columns(&tiles(&ramp, 0..100), 4);
        let column = |min, max, mean| Some(Column { min, max, mean });
        assert_eq!(columns[0], column(0.0, 49.0, 24.5));
        assert_eq!(columns[1], column(50.0, 99.0, 74.5));
        assert_eq!(&columns[2..], [None, None]);
    }

    #[test]
    fn cells_lie_between_the_least_and_the_greatest_value() {
        let ramp: Vec<u8> = (0..=100).collect();
        let mean = |tiles: &TiledArray| cells(tiles, TileValue::Mean);
        let cells = mean(&tiles(&ramp, 0..101));
        assert_eq!(
            (cells[0], cells[50], cells[100]),
            (Cell::Value(0.0), Cell::Value(0.5), Cell::Value(1.0))
        );
        assert_eq!(mean(&tiles(&ramp, 0..10))[50], Cell::Unseen);
        assert!((share(f64::MAX, (-f64::MAX, f64::MAX)) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_cell_is_the_least_the_mean_or_the_greatest_value_of_its_tile() {
        // Three values a tile, of which the last is larger than the others.
        let values: Vec<u8> = (0..4096 * 3).map(|index| [0, 0, 99][index % 3]).collect();
        let tiles = tiles(&values, 0..values.len());
        let of = |shows| cells(&tiles, shows)[7];
        assert_eq!(
            [TileValue::Min, TileValue::Mean, TileValue::Max].map(of),
            [0.0, 1.0 / 3.0, 1.0].map(Cell::Value)
        );
    }

    #[test]
    fn ends_differ_where_both_have_seen_all_and_not_the_same() {
        let one = vec![7; 50];
        let mut other = one.clone();
        other[31] = 8;
        let of = |bytes: &[u8]| tiles(bytes, 0..50);
        assert_eq!(first_difference(&of(&one), &of(&other)), Some(31));
        assert_eq!(first_difference(&of(&one), &of(&one)), None);
        assert_eq!(first_difference(&of(&one), &tiles(&other, 0..20)), None);
    }

    #[test]
    fn that_the_transfer_lacked_a_core_is_said_in_the_line_and_why_others_were_not_looked_at_in_both_languages() {
        let mut stats = Stats {
            values: 3300,
            left_out: Some("hardly anything was looked at for 1.50 s: the transfer lacked a core".into()),
            ..Stats::default()
        };
        stats.array.seen = 100;
        assert_eq!(how_much(&stats), "1 in 33 looked at, lacking a core");
        assert_eq!(why_not(&stats), stats.left_out);
        let others = [
            "there are none of c128",
            "the array was handed over as it lies in memory: no byte of it passed by",
            "this route does not let its bytes be read",
            "what was here before it went on was not looked at",
            "the server did not say how long the file is",
        ];
        let mut of_other = |why: &str| {
            stats.left_out = Some(why.to_owned());
            (how_much(&stats), why_not(&stats).expect("a reason"))
        };
        for why in others {
            assert_eq!(of_other(why), ("1 in 33 looked at".to_owned(), why.to_owned()));
        }
        speak(Language::Chinese);
        let lacked = "hardly anything was looked at for 1.50 s: the transfer lacked a core";
        let (line, why) = of_other(lacked);
        assert_eq!(
            (line.as_str(), why.as_str()),
            ("每 33 个查看 1 个，核心不足", "有 1.50 s 几乎未查看：传输缺少核心")
        );
        for why in others {
            let (_, said) = of_other(why);
            assert!(
                !said.contains(" the ") && !said.contains(" of ") && said != why,
                "{said}"
            );
        }
    }

    #[test]
    fn numbers_are_short_and_keep_their_exponent() {
        for (number, shown) in [
            (0.5, "0.5"),
            (499.5, "499.5"),
            (24_999_999.5, "25,000,000"),
            (-1_234_567.0, "-1,234,567"),
            (999.0, "999.0"),
            (123.456_789_12, "123.4568"),
            (-3.471_748_198e-12, "-3.4717e-12"),
            (6.022e23, "6.022e+23"),
        ] {
            assert_eq!(short(number), shown);
        }
    }
}
