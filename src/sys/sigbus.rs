//! The guard under which a mapping is read whose pages may vanish, as those of a file that is made shorter do. The
//! `SIGBUS` of such a page marks the mapping and puts an empty page in its place; any other one goes to the handler
//! that was there before, and this one stays.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence};

/// What a thread is reading under guard.
#[derive(Clone, Copy)]
struct Guard {
    start: usize,
    end: usize,
    /// Set before a page of the range is replaced. Live for as long as the guard is set, and else null.
    vanished: *const AtomicBool,
}

thread_local! {
    // Constant and without a destructor: reading it in a signal handler allocates nothing and runs nothing.
    static GUARD: Cell<Guard> = const { Cell::new(Guard { start: 0, end: 0, vanished: null() }) };
}

/// Ends the guard also where its reader panics: a fault that comes later is none of ours.
struct Ended(Guard);

impl Drop for Ended {
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        GUARD.set(self.0);
    }
}

/// Reads under guard. A page of `addresses` that vanishes is replaced by an empty one, after `vanished` has been set.
///
/// # Safety
/// `addresses` lie in a mapping that lives until this returns. Whoever reads it, on any thread, looks at `vanished`
/// afterwards, and then has read nothing where it is set. The handler is installed, see [`install`].
pub(super) unsafe fn guarded<T>(addresses: Range<usize>, vanished: &AtomicBool, read: impl FnOnce() -> T) -> T {
    let outer = GUARD.replace(Guard {
        start: addresses.start,
        end: addresses.end,
        vanished,
    });
    let _ended = Ended(outer);
    compiler_fence(Ordering::SeqCst);
    read()
}

/// What SIGBUS did before. Set once, before the handler is installed.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler, once for the process.
pub(super) fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let error = |error: io::Error| error.raw_os_error().unwrap_or(0);
        let _ = PREVIOUS.set(current().map_err(error)?);
        let handler: Handler = on_sigbus;
        let flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        set(&action(handler as libc::sighandler_t, flags)).map_err(error)
    });
    installed.map_err(io::Error::from_raw_os_error)
}

/// With `SA_SIGINFO`, and without.
type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
type PlainHandler = extern "C" fn(libc::c_int);

extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, which nobody else has.
    let told = unsafe { &*info };
    // Else someone has sent it, by kill(2) for one.
    let is_fault = told.si_code > 0;
    // SAFETY: every SIGBUS that is a fault has an address.
    if is_fault && replace_page(unsafe { told.si_addr() } as usize) {
        return;
    }
    pass_on(signal, info, context, is_fault);
}

/// Replaces the page at an address that this thread reads under guard; whether it did.
fn replace_page(address: usize) -> bool {
    let guard = GUARD.get();
    if !(guard.start..guard.end).contains(&address) {
        return false;
    }
    // SAFETY: the mark is live for as long as the guard is set.
    let vanished = unsafe { &*guard.vanished };
    // Before the empty page is there: whoever reads that finds the mark afterwards.
    vanished.store(true, Ordering::SeqCst);
    // SAFETY: sysconf only returns a number, and may be called by a signal handler.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let page_bytes = usize::try_from(page_bytes).unwrap_or(4096);
    let page = (address & !(page_bytes - 1)) as *mut libc::c_void;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the page belongs to a mapping that lives while it is read under guard (the caller of guarded says so),
    // so that nothing else is unmapped. Whoever reads the mapping is told by the mark. mmap is a plain system call.
    let mapped = unsafe { libc::mmap(page, page_bytes, libc::PROT_READ, flags, -1, 0) };
    mapped != libc::MAP_FAILED
}

/// Has happen what would without this handler, which stays.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void, is_fault: bool) {
    let Some(previous) = PREVIOUS.get() else {
        return;
    };
    match previous.sa_sigaction {
        libc::SIG_IGN if !is_fault => {}
        // A fault cannot be ignored.
        libc::SIG_DFL | libc::SIG_IGN => {
            let _ = set(&action(libc::SIG_DFL, 0));
            if !is_fault {
                // SAFETY: raise may be called by a signal handler.
                let _ = unsafe { libc::raise(signal) };
            }
            // A fault comes again as soon as this returns.
        }
        _ => {
            let now = current();
            call(previous, signal, info, context);
            // A handler may have asked for the default, as that of Rust's runtime does for all that it does not know.
            // Of a fault that is the end, and right; what was sent is over, and the next fault may be ours.
            if let (false, Ok(now)) = (is_fault, now) {
                let _ = set(&now);
            }
        }
    }
}

/// Calls a handler that is neither the default nor to ignore the signal.
fn call(action: &libc::sigaction, signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let address = action.sa_sigaction as *const ();
    if action.sa_flags & libc::SA_SIGINFO == 0 {
        // SAFETY: whoever installed it without SA_SIGINFO gave the address of such a function.
        let handler = unsafe { std::mem::transmute::<*const (), PlainHandler>(address) };
        handler(signal);
    } else {
        // SAFETY: whoever installed it with SA_SIGINFO gave the address of such a function.
        let handler = unsafe { std::mem::transmute::<*const (), Handler>(address) };
        handler(signal, info, context);
    }
}

fn action(handler: libc::sighandler_t, flags: libc::c_int) -> libc::sigaction {
    // SAFETY: sigaction is plain data, for which all zeroes is valid; the mask is then empty.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    action
}

/// What SIGBUS does now.
fn current() -> io::Result<libc::sigaction> {
    let mut current = action(libc::SIG_DFL, 0);
    // SAFETY: the pointer is to a live value, and no action is changed.
    match unsafe { libc::sigaction(libc::SIGBUS, null(), &raw mut current) } {
        0 => Ok(current),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets what SIGBUS does.
fn set(action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the pointer is to a live value. Its handler, where it has one, is on_sigbus, which does only what a
    // signal handler may, or one that was installed before.
    match unsafe { libc::sigaction(libc::SIGBUS, action, null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{ReadError, SharedFile};
    use std::os::unix::process::ExitStatusExt as _;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::process::{Command, ExitStatus};
    use std::sync::atomic::AtomicUsize;

    use memmap2::{MmapOptions, MmapRaw};

    /// Names what the child process of a test does: handlers are the whole process's.
    const CHILD: &str = "ARRAYLIFT_SIGBUS_CHILD";

    /// Runs the test of that name again, in a process of its own.
    fn in_child(test: &str, what: &str) -> ExitStatus {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command.args([
            "--exact",
            &format!("{}::{test}", module_path!().split_once("::").expect("a crate").1),
        ]);
        command.env(CHILD, what);
        let output = command.output().expect("started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("running 1 test"), "{said}");
        output.status
    }

    fn is_child() -> Option<String> {
        std::env::var(CHILD).ok()
    }

    /// A file that was cut after it was mapped.
    fn cut() -> SharedFile {
        let file = tempfile::tempfile().expect("file");
        file.set_len(1 << 16).expect("length");
        let shared = SharedFile::map(file.try_clone().expect("clone"), 1 << 16).expect("mapped");
        file.set_len(0).expect("cut");
        shared
    }

    fn assert_cut_is_told() {
        assert!(matches!(cut().copy_out(5, &mut [0; 8]), Err(ReadError::Shrunk)));
    }

    /// A page of someone else's that has vanished.
    fn foreign() -> MmapRaw {
        let file = tempfile::tempfile().expect("file");
        file.set_len(4096).expect("length");
        let map = MmapOptions::new().len(4096).map_raw(&file).expect("mapped");
        file.set_len(0).expect("cut");
        map
    }

    fn read(map: &MmapRaw) -> u8 {
        // SAFETY: the byte lies in the mapping, whose vanished page the handler of a test replaces.
        unsafe { map.as_ptr().read_volatile() }
    }

    fn raise() {
        // SAFETY: the handlers of these tests may be called at any time.
        let raised = unsafe { libc::raise(libc::SIGBUS) };
        assert_eq!(raised, 0);
    }

    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static EXPECTED: AtomicUsize = AtomicUsize::new(0);

    /// As one of another library: mends its own page, and knows nothing of others.
    extern "C" fn other_handler(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
        CALLS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the kernel passes a valid siginfo.
        let told = unsafe { &*info };
        if told.si_code <= 0 {
            return;
        }
        // SAFETY: a fault has an address.
        let address = unsafe { told.si_addr() };
        assert_eq!(
            address as usize,
            EXPECTED.load(Ordering::SeqCst),
            "a fault of another's"
        );
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: the page is the whole of the test's own mapping.
        unsafe { libc::mmap(address, 4096, libc::PROT_READ, flags, -1, 0) };
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no signals")]
    fn faults_and_signals_of_others_go_to_their_handler_and_ours_stays() {
        if is_child().is_none() {
            let status = in_child(
                "faults_and_signals_of_others_go_to_their_handler_and_ours_stays",
                "other",
            );
            assert!(status.success(), "{status}");
            return;
        }
        let handler: Handler = other_handler;
        set(&action(
            handler as libc::sighandler_t,
            libc::SA_SIGINFO | libc::SA_ONSTACK,
        ))
        .expect("installed");
        assert_cut_is_told();
        for round in 0..3 {
            let page = foreign();
            EXPECTED.store(page.as_ptr() as usize, Ordering::SeqCst);
            assert_eq!(read(&page), 0);
            assert_cut_is_told();
            raise();
            assert_cut_is_told();
            assert_eq!(CALLS.load(Ordering::SeqCst), 2 * round + 2);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no signals")]
    fn a_sent_signal_does_what_it_did_before_and_a_fault_of_nobodys_ends_the_process() {
        let test = "a_sent_signal_does_what_it_did_before_and_a_fault_of_nobodys_ends_the_process";
        let Some(what) = is_child() else {
            for (what, ends) in [
                ("rust raise", false),
                ("rust fault", true),
                ("default raise", true),
                ("default fault", true),
                ("ignore raise", false),
                ("ignore fault", true),
            ] {
                let status = in_child(test, what);
                assert_eq!(status.signal(), ends.then_some(libc::SIGBUS), "{what}: {status}");
                assert!(ends || status.success(), "{what}: {status}");
            }
            return;
        };
        match what.split_once(' ').expect("two words").0 {
            "default" => set(&action(libc::SIG_DFL, 0)).expect("set"),
            "ignore" => set(&action(libc::SIG_IGN, 0)).expect("set"),
            // What Rust's runtime has installed.
            _ => {}
        }
        assert_cut_is_told();
        for _ in 0..3 {
            if what.ends_with("raise") {
                raise();
            } else {
                read(&foreign());
            }
            assert_cut_is_told();
        }
    }

    #[test]
    fn a_guard_ends_with_its_reader_even_where_that_panics() {
        let mark = AtomicBool::new(false);
        let start = || GUARD.get().start;
        // SAFETY: nothing is read.
        let inner = || unsafe { guarded(7..8, &mark, || assert_eq!(start(), 7)) };
        // SAFETY: nothing is read.
        let panicking = || unsafe {
            guarded(3..4, &mark, || {
                inner();
                assert_eq!(start(), 3, "that of the outer reader");
                panic!("as a reader might");
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(start(), 0);
    }
}
