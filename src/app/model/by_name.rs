//! Keeps a choice of the engine by its name. A name that this version does not know is read as the default, so that
//! the rest of what was kept is not lost with it.

use serde::{Deserialize as _, Deserializer, Serializer};

use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::transfer::Replace;
use crate::wire::WireChoice;

/// A choice that has a name.
pub(super) trait Named: Copy + Default + 'static {
    /// Every choice.
    const CHOICES: &'static [Self];

    /// The name of this one.
    fn to_name(self) -> &'static str;
}

macro_rules! named {
    ($($choice:ty),*) => {$(
        impl Named for $choice {
            const CHOICES: &'static [Self] = &Self::ALL;

            fn to_name(self) -> &'static str {
                self.name()
            }
        }
    )*};
}

named!(WireChoice, SendRouteChoice, ReceiveRouteChoice);

impl Named for Replace {
    const CHOICES: &'static [Self] = &[Self::Never, Self::Older, Self::Always];

    fn to_name(self) -> &'static str {
        match self {
            Self::Older => "older",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

pub(super) fn serialize<T: Named, S: Serializer>(choice: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(choice.to_name())
}

pub(super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = T::CHOICES.iter().find(|choice| choice.to_name() == name);
    Ok(known.copied().unwrap_or_default())
}
