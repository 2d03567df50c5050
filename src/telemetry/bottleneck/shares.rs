//! How much of the time each cause was the limit.

use std::collections::HashMap;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};

use super::cause::Cause;

/// One number for each cause: seconds, or shares that add up to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares([f64; Cause::COUNT]);

impl Shares {
    /// The number of a cause.
    #[must_use]
    pub fn of(&self, cause: Cause) -> f64 {
        self.0[cause as usize]
    }

    /// The sum over all causes.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// The causes above zero, the largest first.
    #[must_use]
    pub fn ranked(&self) -> Vec<(Cause, f64)> {
        let mut ranked: Vec<_> = Cause::ALL.into_iter().map(|cause| (cause, self.of(cause))).collect();
        ranked.retain(|(_, share)| *share > 0.0);
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    /// Scaled so that they add up to 1; `None` if all are zero.
    #[must_use]
    pub fn normal(&self) -> Self {
        let sum = self.sum();
        if sum > 0.0 {
            self.times(1.0 / sum)
        } else {
            Self::default()
        }
    }

    /// The same without a cause, scaled so that the others add up to 1; all 0 where there is no other.
    #[must_use]
    pub(crate) fn without(&self, cause: Cause) -> Self {
        let mut others = *self;
        others.0[cause as usize] = 0.0;
        others.normal()
    }

    /// Shares in whole per cent that add up to 100, the largest first; those below half a per cent that get none are left
    /// out.
    #[must_use]
    pub(crate) fn percents(&self) -> Vec<(Cause, u32)> {
        let ranked = self.ranked();
        if ranked.is_empty() {
            return Vec::new();
        }
        let mut whole: Vec<(Cause, u32, f64)> = ranked
            .iter()
            .map(|&(cause, share)| {
                let exact = share * 100.0;
                // From 0 to 100.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
                let floor = exact.floor() as u32;
                (cause, floor, exact - exact.floor())
            })
            .collect();
        let sum: u32 = whole.iter().map(|(_, percent, _)| percent).sum();
        // What rounding down has left over goes to those that lost most by it.
        let mut by_loss: Vec<usize> = (0..whole.len()).collect();
        by_loss.sort_by(|a, b| whole[*b].2.total_cmp(&whole[*a].2));
        for index in by_loss.into_iter().take(100_u32.saturating_sub(sum) as usize) {
            whole[index].1 += 1;
        }
        let kept = whole.into_iter().filter(|(_, percent, _)| *percent > 0);
        kept.map(|(cause, percent, _)| (cause, percent)).collect()
    }

    pub(crate) fn add(&mut self, cause: Cause, amount: f64) {
        self.0[cause as usize] += amount;
    }

    pub(super) fn times(&self, factor: f64) -> Self {
        Self(self.0.map(|amount| amount * factor))
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }
}

/// A map from each cause's name to its share.
impl Serialize for Shares {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Cause::COUNT))?;
        for cause in Cause::ALL {
            map.serialize_entry(&cause, &self.of(cause))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Shares {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = HashMap::<Cause, f64>::deserialize(deserializer)?;
        let mut shares = Self::default();
        for (cause, share) in map {
            shares.add(cause, share);
        }
        Ok(shares)
    }
}
