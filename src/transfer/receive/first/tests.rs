use super::*;
use std::time::Duration;

use crate::array::Range;
use crate::route::SendRouteChoice;
use crate::route::fake::Stingy;
use crate::route::receive::{Discard, ReceiveRoute};
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::listener::loopback_pair;
use crate::transfer::plan::{Origin, SinkSpec, SourceSpec};
use crate::transfer::send::FirstSender;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::source::Source;
use crate::transfer::source::send_path::{SendPath, SendPathRequest};
use crate::transfer::tell::event_sender::EventSender;
use crate::wire::WireChoice;
use crossbeam_channel::bounded;

fn context() -> MachineContext {
    let clock = Instant::now();
    let (probe, _) = Probe::new(clock);
    let (notes, _) = bounded(64);
    MachineContext {
        controls: Arc::new(Controls::new(None)),
        probe,
        events: EventSender::new(notes, clock, None),
        surveyor: None,
        publishing: PublishContext::new(Arc::new(|| {})),
    }
}

/// Steps both machines by turns on one thread, over routes that move `bytes_max` bytes a call at most.
fn moved(wire: WireChoice, range: &str, bytes_max: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("a.bin");
    let options = Options {
        wire,
        chunk_bytes: 4096,
        ..Options::default()
    };
    let origin = Origin::Range(Range::parse(range, None).expect("range"));
    let source = Source::open(&SourceSpec { origin, slice: None }).expect("source");
    let asked = SendPathRequest {
        route: SendRouteChoice::Auto,
        wire,
        chunk_bytes: 4096,
        unix: false,
        cancelled: &|| false,
    };
    let path = source.send_path(&asked).expect("route").expect("not cancelled");
    let path = SendPath {
        route: Box::new(Stingy::new(path.route, bytes_max)),
        ..path
    };
    let (sending, receiving) = loopback_pair().expect("pair");
    let (meta, sink) = (source.meta.clone(), SinkSpec::File(into.clone()));
    let mut sender = FirstSender::new(sending, source, path, &options, None, bounded(1).0, context()).expect("sender");
    let plan = ReceivePlan {
        sink,
        expect: Some(meta),
        keep: None,
        keep_free: None,
        part_number: None,
        source: None,
    };
    let mut receiver = FirstReceiver::new(receiving, plan, None, &options, bounded(1).0, context()).expect("receiver");
    let (mut stingy, mut sent, mut received) = (false, false, false);
    let until = Instant::now() + Duration::from_mins(1);
    while Instant::now() < until {
        let now = Instant::now();
        sent = sent || matches!(sender.step(now, true).expect("sender"), Progress::Done(_));
        received = received || matches!(receiver.step(now, true).expect("receiver"), Progress::Done(_));
        if !stingy && let Phase::Receiving(receiving) = &mut receiver.phase {
            let nothing: Box<dyn ReceiveRoute> = Box::new(Discard::new(1));
            let route = std::mem::replace(&mut receiving.blocks.route, nothing);
            receiving.blocks.route = Box::new(Stingy::new(route, bytes_max));
            stingy = true;
        }
        if sent && received {
            assert!(stingy, "the receiver's route was never replaced");
            return std::fs::read(into).expect("read");
        }
    }
    panic!("the machines never end");
}

#[test]
fn machines_come_through_whatever_little_the_kernel_moves() {
    let expected: Vec<u8> = (0..1500).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    for wire in WireChoice::ALL {
        for bytes_max in [1, 7, 4095, usize::MAX] {
            assert!(
                moved(wire, "0:1500", bytes_max) == expected,
                "{} by {bytes_max}",
                wire.name()
            );
        }
    }
}
