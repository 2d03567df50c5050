//! Takes one array from whoever connects, and computes with it where it has landed.
//!
//! `cargo run --release --example receive_into_memory`, and in another terminal
//! `arraylift send range:0:1e6 127.0.0.1:25000`. With `--alone` it is its own sender, on a port that is free.

use std::sync::Arc;

use arraylift::{
    Endpoint, Event, Incoming, Job, Listener, Options, Origin, Outcome, Range, SinkSpec, SourceSpec, Transfer,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let is_alone = std::env::args().any(|argument| argument == "--alone");
    let address = if is_alone { "127.0.0.1:0" } else { "127.0.0.1:25000" };
    let listener = Listener::bind(&Endpoint::parse(address)?)?;
    println!("listening on {}", listener.address());
    let to = Endpoint::parse(listener.address())?;
    let receiver = start(Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Memory,
        expect: None,
    })?;
    let sender = if is_alone {
        let source = SourceSpec::new(Origin::Range(Range::parse("0:1e6", None)?));
        Some(start(Job::Send { source, to })?)
    } else {
        None
    };
    let (outcome, array) = receiver.join_received();
    let Outcome::Done(finished) = outcome else {
        return Err(format!("not done: {outcome:?}").into());
    };
    if let Some(sender) = sender {
        assert!(matches!(sender.join(), Outcome::Done(_)));
    }
    let array = array.ok_or("the array was not kept")?;
    println!("{} came, {} bytes", array.meta(), finished.bytes);
    match array.as_slice::<f64>() {
        Some(numbers) => println!("their sum is {}", numbers.iter().sum::<f64>()),
        None => println!(
            "its first bytes are {:?}",
            &array.as_bytes()[..finished.bytes.min(8) as usize]
        ),
    }
    Ok(())
}

fn start(job: Job) -> Result<Transfer, arraylift::Error> {
    let options = Options {
        keep_received: true,
        ..Options::default()
    };
    let (events, _) = crossbeam_channel::bounded::<Event>(1);
    Transfer::start(job, options, events, Arc::new(|| {}))
}
