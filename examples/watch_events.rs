//! Watches a transfer while it runs, as the window and the terminal do: rates, first elements, what holds it back.
//!
//! `cargo run --release --example watch_events`

use std::sync::Arc;

use arraylift::{EventKind, Job, Options, Origin, Range, Side, SinkSpec, SourceSpec, Transfer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = SourceSpec::new(Origin::Range(Range::parse("0:4e6", None)?));
    let job = Job::Loopback {
        source,
        sink: SinkSpec::Discard,
    };
    let options = Options {
        limit_bytes_per_s: Some(100_000_000),
        ..Options::default()
    };
    // Samples that find no room are dropped; the next one tells as much. Everything else is kept until there is room.
    let (sender, events) = crossbeam_channel::bounded(1024);
    // A program with a loop of its own, such as a window, is woken here.
    let waker = Arc::new(|| {});
    let transfer = Transfer::start(job, options, sender, waker)?;
    for event in events {
        let side = match event.side {
            Side::Sender => "sender",
            Side::Receiver => "receiver",
        };
        match event.kind {
            EventKind::Started(started) => println!("{side}: {} over {}", started.dtype, started.wire),
            EventKind::Sample(sample) if event.side == Side::Receiver => println!(
                "{:.2} s: {} bytes, {:.0} MB/s",
                event.elapsed_s,
                sample.bytes,
                sample.rate_bytes_per_s / 1e6
            ),
            EventKind::Bottleneck(verdict) => println!("{}", verdict.sentence),
            EventKind::Finished(finished) => println!("{side}: {} bytes are verified", finished.bytes),
            EventKind::Failed(failure) => println!("{side}: {}", failure.message),
            _ => {}
        }
    }
    println!("{:?}", transfer.join());
    Ok(())
}
