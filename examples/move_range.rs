//! Moves a range of numbers between two threads of this program, and reads what arrived.
//!
//! `cargo run --release --example move_range`

use std::sync::Arc;

use arraylift::{Job, Options, Origin, Outcome, Range, SinkSpec, SourceSpec, Transfer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What numpy.arange(0, 1e6) makes: a million f64, 8 MB.
    let source = SourceSpec::new(Origin::Range(Range::parse("0:1e6", None)?));
    let job = Job::Loopback {
        source,
        sink: SinkSpec::Memory,
    };
    let options = Options {
        keep_received: true,
        ..Options::default()
    };
    // Nobody watches here: what does not fit into the channel is dropped, and the outcome is never lost.
    let (events, _) = crossbeam_channel::bounded(1);
    let transfer = Transfer::start(job, options, events, Arc::new(|| {}))?;
    let (outcome, array) = transfer.join_received();
    let Outcome::Done(finished) = outcome else {
        return Err(format!("not done: {outcome:?}").into());
    };
    let array = array.ok_or("the array was not kept")?;
    let numbers = array.as_slice::<f64>().ok_or("its elements are no f64")?;
    println!(
        "{} bytes at {:.2} GB/s, {}; the first is {}, the last {}",
        finished.bytes,
        finished.rate_bytes_per_s / 1e9,
        finished.checksum.as_deref().unwrap_or("unverified"),
        numbers[0],
        numbers[numbers.len() - 1]
    );
    // Bit for bit what was sent.
    assert!(
        numbers
            .iter()
            .zip(0..)
            .all(|(number, index)| number.to_bits() == f64::from(index).to_bits())
    );
    Ok(())
}
