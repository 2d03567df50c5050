//! Checksums of blocks, piece by piece as they pass by, and putting blocks together.

use std::hint::black_box;

use arraylift::ChecksumKind;
use arraylift::internals::Digest;
use criterion::{Criterion, Throughput};

const BLOCK_BYTES: usize = 4 << 20;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let block: Vec<u8> = (0..BLOCK_BYTES).map(|index| index.to_le_bytes()[0]).collect();
    let mut group = criterion.benchmark_group("checksum");
    for kind in [ChecksumKind::Crc64Nvme, ChecksumKind::Crc32] {
        for chunk_bytes in [64 << 10, 256 << 10, 1 << 20] {
            // One piece that is in cache, over and over, as it was just received.
            let chunk = &block[..chunk_bytes];
            group.throughput(Throughput::Bytes(chunk_bytes as u64));
            group.bench_function(
                format!("{} in cache, {} KiB", kind.name(), chunk_bytes >> 10),
                |bencher| {
                    bencher.iter(|| digest_of(kind, black_box(chunk), chunk_bytes).value());
                },
            );
        }
        group.throughput(Throughput::Bytes(BLOCK_BYTES as u64));
        group.bench_function(format!("{} of a block", kind.name()), |bencher| {
            bencher.iter(|| digest_of(kind, black_box(&block), 1 << 20).value());
        });
        let (first, second) = (digest_of(kind, &block, 1 << 20), digest_of(kind, &block[1..], 1 << 20));
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{} appended", kind.name()), |bencher| {
            bencher.iter(|| {
                let (first, second) = (black_box(&first).checksum(), black_box(&second).checksum());
                first.zip(second).map(|(first, second)| first.followed_by(second))
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

fn digest_of(kind: ChecksumKind, bytes: &[u8], chunk_bytes: usize) -> Digest {
    let mut digest = Digest::new(kind);
    for chunk in bytes.chunks(chunk_bytes) {
        digest.update(chunk);
    }
    digest
}
