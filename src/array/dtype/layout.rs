//! What an element looks like in memory, and how that is read from a description.

use super::super::literal::Literal;
use super::scalar::Scalar;
use super::{DtypeError, words};

/// What an element looks like in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::array) enum Layout {
    Scalar(Scalar),
    /// Several elements of one layout, in these dimensions. Only fields of records have it.
    Array {
        dimensions: Vec<usize>,
        item: Box<Layout>,
    },
    Record(Vec<Field>),
}

/// A named part of a record; padding has an empty name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::array) struct Field {
    pub(in crate::array) name: String,
    pub(in crate::array) layout: Layout,
}

/// Reads a description, and puts NumPy's own spelling in place of every type in it.
#[derive(Default)]
pub(super) struct Reader {
    /// A type was spelled differently.
    pub(super) has_respelled: bool,
}

impl Layout {
    /// In bytes; `None` where that overflows, which no part of a [`Dtype`](super::Dtype) does.
    pub(in crate::array) fn size_bytes(&self) -> Option<usize> {
        match self {
            Self::Scalar(scalar) => Some(scalar.size_bytes),
            Self::Array { dimensions, item } => dimensions
                .iter()
                .try_fold(item.size_bytes()?, |size, &count| size.checked_mul(count)),
            Self::Record(fields) => fields
                .iter()
                .try_fold(0_usize, |sum, field| sum.checked_add(field.layout.size_bytes()?)),
        }
    }

    /// This layout repeated in the dimensions of a field: `3` or `(3, 4)`. Those of a layout that has some come last.
    fn repeated(self, dimensions: &Literal) -> Result<Self, DtypeError> {
        let dimensions = match dimensions {
            Literal::Tuple(dimensions) | Literal::List(dimensions) => dimensions,
            dimension => std::slice::from_ref(dimension),
        };
        let mut dimensions: Vec<usize> = dimensions
            .iter()
            .map(|dimension| match dimension {
                Literal::Int(count) if *count >= 0 => usize::try_from(*count).map_err(|_| DtypeError::TooLarge),
                _ => Err(DtypeError::NotADescription),
            })
            .collect::<Result<_, _>>()?;
        if dimensions.is_empty() {
            return Ok(self);
        }
        let item = match self {
            Self::Array {
                dimensions: inner,
                item,
            } => {
                dimensions.extend(inner);
                item
            }
            item => Box::new(item),
        };
        Ok(Self::Array { dimensions, item })
    }
}

impl Reader {
    /// A type string, or a list of fields.
    pub(super) fn layout(&mut self, descr: &mut Literal) -> Result<Layout, DtypeError> {
        match descr {
            Literal::Text(text) => self.scalar(text).map(Layout::Scalar),
            Literal::List(fields) => self.record(fields),
            _ => Err(DtypeError::NotADescription),
        }
    }

    fn scalar(&mut self, text: &mut String) -> Result<Scalar, DtypeError> {
        let scalar = words::parse(text)?;
        let spelling = scalar.type_string();
        if *text != spelling {
            *text = spelling;
            self.has_respelled = true;
        }
        Ok(scalar)
    }

    fn record(&mut self, fields: &mut [Literal]) -> Result<Layout, DtypeError> {
        let mut kept = Vec::with_capacity(fields.len());
        for field in fields {
            let field = self.field(field)?;
            // Padding of no bytes would be steps without end: a peer could ask for many in each element of a preview.
            if !field.name.is_empty() || field.layout.size_bytes() != Some(0) {
                kept.push(field);
            }
        }
        Ok(Layout::Record(kept))
    }

    /// `(name, type)` or `(name, type, dimensions)`, where a name may also be `(title, name)`.
    fn field(&mut self, field: &mut Literal) -> Result<Field, DtypeError> {
        let (Literal::Tuple(parts) | Literal::List(parts)) = field else {
            return Err(DtypeError::NotADescription);
        };
        let (name, descr, dimensions) = match parts.as_mut_slice() {
            [name, descr] => (name, descr, None),
            [name, descr, dimensions] => (name, descr, Some(dimensions)),
            _ => return Err(DtypeError::NotADescription),
        };
        let name = match name {
            Literal::Text(name) => name.clone(),
            Literal::Tuple(names) => match names.as_slice() {
                [Literal::Text(_title), Literal::Text(name)] => name.clone(),
                _ => return Err(DtypeError::NotADescription),
            },
            _ => return Err(DtypeError::NotADescription),
        };
        let item = self.item(descr)?;
        let layout = match dimensions {
            Some(dimensions) => item.repeated(dimensions)?,
            None => item,
        };
        Ok(Field { name, layout })
    }

    /// What a field has: any layout, or `(type, dimensions)`.
    fn item(&mut self, descr: &mut Literal) -> Result<Layout, DtypeError> {
        match descr {
            Literal::Tuple(parts) => match parts.as_mut_slice() {
                [descr, dimensions] => self.item(descr)?.repeated(dimensions),
                _ => Err(DtypeError::NotADescription),
            },
            descr => self.layout(descr),
        }
    }
}
