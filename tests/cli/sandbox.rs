//! The binary where the kernel refuses system calls: a `seccomp` filter says which.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

use crate::common::{Dir, Process};

/// A system call that is refused, and where only some are: the argument and the bits in it that all have to be set.
pub(crate) struct Refused {
    pub(crate) call: i64,
    pub(crate) bits: Option<(u8, u64)>,
    pub(crate) error: i32,
}

impl Refused {
    pub(crate) fn with(call: i64, error: i32) -> Self {
        Self {
            call,
            bits: None,
            error,
        }
    }

    fn filter(&self) -> BpfProgram {
        let rules = self.bits.iter().map(|(argument, bits)| {
            let condition =
                SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(*bits), *bits);
            SeccompRule::new(vec![condition.expect("a condition")]).expect("a rule")
        });
        let filter = SeccompFilter::new(
            BTreeMap::from([(self.call, rules.collect())]),
            SeccompAction::Allow,
            SeccompAction::Errno(u32::try_from(self.error).expect("positive")),
            std::env::consts::ARCH
                .try_into()
                .expect("an architecture that seccomp knows"),
        );
        filter.expect("a filter").try_into().expect("a program")
    }
}

/// Starts a process, which is refused these calls.
pub(crate) fn refused(refused: &[Refused], start: impl FnOnce() -> Process + Send) -> Process {
    // It holds for this thread and for what is started from it, and for nothing else.
    std::thread::scope(|scope| {
        let start = || {
            for refused in refused {
                apply_filter(&refused.filter()).expect("the filter is in force");
            }
            start()
        };
        let thread = std::thread::Builder::new()
            .spawn_scoped(scope, start)
            .expect("a thread");
        thread.join().expect("started")
    })
}

/// The binary, about to run where the kernel refuses a system call.
pub(crate) fn start_refused(dir: &Dir, one: &Refused, arguments: &str) -> Process {
    refused(std::slice::from_ref(one), || {
        dir.arraylift(arguments.split_whitespace()).without_history().start()
    })
}
