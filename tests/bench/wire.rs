//! What peers say to each other, without a socket: the steps of whole transfers, and reading an offer.

#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says why and fails")]

use std::hint::black_box;

use arraylift::internals::{Grain, Heard, Ledger, Offer, ReceiveWire, SendStep, SendWire, Want};
use arraylift::{ArrayMeta, ChecksumKind, Dtype, WireChoice};
use criterion::{Criterion, Throughput};

const BLOCK_BYTES: u32 = Grain::MAX.get();
/// 1000 blocks.
const ARRAY_BYTES: u64 = 1000 * BLOCK_BYTES as u64;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Elements(ARRAY_BYTES / u64::from(BLOCK_BYTES)));
    for kind in [ChecksumKind::None, ChecksumKind::Crc64Nvme] {
        group.bench_function(format!("native, blocks, {}", kind.name()), |bencher| {
            bencher.iter(|| transferred(WireChoice::Native, kind, ARRAY_BYTES));
        });
    }
    group.throughput(Throughput::Elements(1));
    for choice in [WireChoice::Native, WireChoice::Npy] {
        group.bench_function(format!("{}, offer and end", choice.name()), |bencher| {
            bencher.iter(|| transferred(choice, ChecksumKind::Crc64Nvme, 0));
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Everything that both ends of a transfer say; the bytes of the array are taken as moved, and none is looked at.
fn transferred(choice: WireChoice, checksum: ChecksumKind, bytes: u64) -> u64 {
    let offer = Offer {
        meta: ArrayMeta::vector(Dtype::u8(), black_box(bytes)).expect("an array"),
        name: Some("a.bin".into()),
        plain: true,
        identity: vec![7; 40],
        checksum,
        grain: Some(Grain::MAX),
        streams: 1,
        handoff: None,
    };
    let mut sender = SendWire::new(choice, offer);
    let mut receiver = ReceiveWire::new(WireChoice::Auto, None).expect("a wire");
    let ledger = Ledger::new(bytes, checksum, 1);
    let (mut on_the_way, mut data) = (Vec::new(), 0);
    loop {
        match sender.step(Some(BLOCK_BYTES)) {
            SendStep::Write(bytes) => on_the_way.extend(bytes),
            SendStep::Data { len, .. } => {
                sender.sent(len).expect("a block");
                data += len;
            }
            SendStep::LookAgain => on_the_way.extend(sender.unchanged().expect("all of it was sent")),
            SendStep::Await | SendStep::Done | SendStep::HandOver | SendStep::Compare { .. } => {}
        }
        loop {
            match receiver.want() {
                Want::Control(_) if on_the_way.is_empty() => break,
                Want::Control(most) => {
                    let rest = on_the_way.split_off(most.min(on_the_way.len()));
                    let heard = receiver.hear(&on_the_way).expect("a sender's words");
                    on_the_way = rest;
                    if let Some(Heard::Offer(_)) = heard {
                        let answer = receiver.accept(&ledger, None).expect("a ledger");
                        sender.hear(&answer).expect("an answer");
                    }
                }
                Want::Data { .. } if data == 0 => break,
                Want::Data { len, .. } => {
                    let landed = len.min(data);
                    receiver.landed(landed).expect("a block");
                    data -= landed;
                }
                Want::Decision => {
                    receiver.accept(&ledger, None).expect("a ledger");
                }
                Want::Done => {
                    sender.hear(&receiver.result()).expect("a result");
                    assert!(sender.step(None) == SendStep::Done || choice != WireChoice::Native);
                    return bytes;
                }
            }
        }
    }
}
