//! What the limit was over time. The band is thinned, so that it stays small for a transfer of any length.

use super::{Shares, TELLS_FROM_S};

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    /// Its beginning, in seconds since the clock began.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// The seconds of it in which each cause was the limit.
    seconds: Shares,
}

#[cfg(test)]
impl Cell {
    /// The parts of the span in which each cause was the limit; together 1.
    #[must_use]
    pub(crate) fn shares(&self) -> Shares {
        self.seconds.normal()
    }
}

/// Spans one after the other; between two rounds there may be a gap.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Band {
    cells: Vec<Cell>,
    total: Shares,
}

impl Band {
    /// A band never holds more spans than this.
    pub(crate) const MAX_CELLS: usize = 1024;

    /// The spans, oldest first.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Its length without gaps, in seconds.
    #[must_use]
    pub(crate) fn seconds(&self) -> f64 {
        self.total.sum()
    }

    /// The parts of that in which each cause was the limit; together 1, or all 0 where it is too short to tell.
    #[must_use]
    pub(crate) fn shares(&self) -> Shares {
        if self.seconds() >= TELLS_FROM_S {
            self.total.normal()
        } else {
            Shares::default()
        }
    }

    /// The shares in each of `count` equal parts of the time between `from_s` and `to_s`; `None` for a part of which
    /// nothing is known, and for all of them where the band is too short to tell.
    #[must_use]
    pub(crate) fn columns(&self, from_s: f64, to_s: f64, count: usize) -> Vec<Option<Shares>> {
        if self.seconds() < TELLS_FROM_S {
            return vec![None; count];
        }
        let width_s = (to_s - from_s) / count.max(1) as f64;
        let mut first = 0;
        (0..count)
            .map(|column| {
                let (begin_s, end_s) = (from_s + width_s * column as f64, from_s + width_s * (column + 1) as f64);
                first += self.cells[first..].partition_point(|cell| cell.to_s <= begin_s);
                let mut seconds = Shares::default();
                for cell in self.cells[first..].iter().take_while(|cell| cell.from_s < end_s) {
                    let overlap_s = end_s.min(cell.to_s) - begin_s.max(cell.from_s);
                    seconds.add_all(&cell.seconds.times(overlap_s.max(0.0) / (cell.to_s - cell.from_s)));
                }
                (seconds.sum() > 0.0).then(|| seconds.normal())
            })
            .collect()
    }

    /// Adds a span that begins where the last one ended, or later.
    pub(super) fn push(&mut self, from_s: f64, to_s: f64, shares: &Shares) {
        if to_s <= from_s || !(to_s - from_s).is_finite() {
            return;
        }
        let seconds = shares.times(to_s - from_s);
        self.total.add_all(&seconds);
        self.cells.push(Cell { from_s, to_s, seconds });
        if self.cells.len() > Self::MAX_CELLS {
            self.thin();
        }
    }

    /// Merges neighbours, the shortest first, until about half of the spans are left.
    fn thin(&mut self) {
        let (Some(first), Some(last)) = (self.cells.first(), self.cells.last()) else {
            return;
        };
        let span_s = (last.to_s - first.from_s) / (Self::MAX_CELLS / 4) as f64;
        let mut kept: Vec<Cell> = Vec::with_capacity(Self::MAX_CELLS + 1);
        for cell in &self.cells {
            match kept.last_mut() {
                Some(open) if cell.to_s - open.from_s <= span_s => {
                    open.to_s = cell.to_s;
                    open.seconds.add_all(&cell.seconds);
                }
                _ => kept.push(*cell),
            }
        }
        self.cells = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cause;
    use super::*;

    fn only(cause: Cause) -> Shares {
        let mut shares = Shares::default();
        shares.add(cause, 1.0);
        shares
    }

    #[test]
    fn ten_hours_are_thinned_and_no_second_is_lost() {
        let mut band = Band::default();
        for i in 0..360_000_u32 {
            let cause = if i % 3 == 0 { Cause::Sender } else { Cause::Receiver };
            band.push(f64::from(i) * 0.1, f64::from(i + 1) * 0.1, &only(cause));
        }
        assert!(band.cells().len() <= Band::MAX_CELLS && band.cells().len() >= Band::MAX_CELLS / 8);
        assert!((band.total.of(Cause::Sender) - 12_000.0).abs() < 1e-3);
        for pair in band.cells().windows(2) {
            assert!((pair[0].to_s - pair[1].from_s).abs() < 1e-6);
            assert!((pair[0].shares().sum() - 1.0).abs() < 1e-9);
            let is_merged = pair[0].to_s - pair[0].from_s > 10.0;
            assert!(!is_merged || (pair[0].shares().of(Cause::Sender) - 1.0 / 3.0).abs() < 0.02);
        }
    }

    #[test]
    fn columns_are_weighted_by_time_and_empty_where_nothing_is_known() {
        let mut band = Band::default();
        band.push(1.0, 2.0, &only(Cause::Sender));
        band.push(2.0, 4.0, &only(Cause::Limit));
        let columns = band.columns(0.0, 6.0, 3);
        assert_eq!(columns[0], Some(only(Cause::Sender)));
        assert_eq!(columns[1], Some(only(Cause::Limit)));
        assert_eq!(columns[2], None);
        let [Some(mixed)] = band.columns(1.5, 2.5, 1)[..] else {
            panic!("one column")
        };
        assert!((mixed.of(Cause::Sender) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn spans_of_nothing_are_left_out() {
        let mut band = Band::default();
        band.push(1.0, 1.0, &only(Cause::Sender));
        band.push(0.0, f64::NAN, &only(Cause::Sender));
        assert!(band.cells().is_empty());
    }
}
