//! The threads that do what a disk may take its time for: they prepare files, put what was received on disk, give it its
//! name and remove what is not kept, while whoever receives goes on.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Error;
use crate::sys::{Wake, begin_write_out};
use crate::thread::Thread;
use crate::transfer::plan::Options;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::tell::event_queue::Waker;

use super::file_system::{Effort, FileSystem};
use super::publication::{Job, Publication};
use super::publish::put_on_disk;
use super::task::{Pending, Task};

/// Threads that wait for a disk to have what was written. It does not get faster with more of them.
const SYNCS_MAX: usize = 4;
/// Threads in all: what takes a moment does not wait for gigabytes to be on disk.
const THREADS_MAX: usize = SYNCS_MAX + 2;
/// Arrays of at most so many bytes share their syncs; a larger one is not to keep others waiting.
const SMALL_BYTES_MAX: u64 = 8 << 20;
/// So many of them at most.
const BATCH_MAX: usize = 64;

/// Puts arrays on disk. All transfers of a process share one for as long as any of them has it. Its threads start when
/// there is something to do, and end with it.
pub(crate) struct Publisher {
    shared: Arc<Shared>,
    threads: Mutex<Vec<Thread>>,
}

/// What a machine publishes with.
#[derive(Clone)]
pub(crate) struct PublishContext {
    publisher: Arc<Publisher>,
    /// Gives the machine another step, from any thread.
    waker: Waker,
    /// The machine has a thread of its own.
    may_wait: bool,
    /// What keeps the files that the machine makes.
    files_in: FileSystem,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to do, or nothing ever again.
    news: Condvar,
}

#[derive(Default)]
struct Queue {
    /// First of all: a sender waits for each.
    tasks: VecDeque<Task>,
    small: VecDeque<Job>,
    large: VecDeque<Job>,
    write_outs: VecDeque<Arc<File>>,
    /// One thread at a time takes the small ones: those that come meanwhile make the next batch.
    has_batch: bool,
    /// How many threads wait for the disk to have something.
    syncing: usize,
    threads: usize,
    idle: usize,
    ends: bool,
}

/// What a thread does next.
enum Work {
    Task(Task),
    Batch(Vec<Job>),
    Large(Job),
    WriteOut(Arc<File>),
}

impl PublishContext {
    /// For a machine that is given another step by `waker`.
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            publisher: Publisher::shared(),
            waker,
            may_wait: false,
            files_in: FileSystem::Unknown,
        }
    }

    /// For a machine whose thread waits for `wake`.
    pub(crate) fn of_thread(wake: &Arc<Wake>) -> Self {
        let wake = Arc::clone(wake);
        Self {
            may_wait: true,
            ..Self::new(Arc::new(move || wake.wake()))
        }
    }

    /// Whether the machine may wait for a disk itself, as it does with each chunk that it writes. To have another thread
    /// do that costs a wake of both.
    pub(crate) fn may_wait(&self) -> bool {
        self.may_wait
    }

    /// For a machine whose files are made in that file system.
    pub(crate) fn with_files_in(self, files_in: FileSystem) -> Self {
        Self { files_in, ..self }
    }

    /// How long it may take such a machine to make a file for so many bytes: it makes it itself where it may wait.
    pub(crate) fn effort_to_make(&self, bytes: u64) -> Effort {
        if self.may_wait {
            Effort::Brief
        } else {
            self.files_in.effort(bytes)
        }
    }

    /// The same, where `first` is done before the waker is called.
    pub(crate) fn after(self, first: impl Fn() + Send + Sync + 'static) -> Self {
        let waker = self.waker;
        let both = move || {
            first();
            waker();
        };
        Self {
            waker: Arc::new(both),
            ..self
        }
    }

    /// Who puts on disk what is kept in a file, where the options ask for it.
    pub(crate) fn publisher(&self, options: &Options) -> Option<&Arc<Publisher>> {
        options.sync.then_some(&self.publisher)
    }

    /// Has something done that a disk may take its time for. With little effort it is done when this returns; otherwise
    /// the machine is given another step when it is.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        effort: Effort,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Pending<T> {
        let publisher = Arc::clone(&self.publisher);
        if effort == Effort::Brief {
            return Pending::done(work, publisher);
        }
        let (task, pending) = Task::new(work, publisher, Arc::clone(&self.waker));
        self.publisher.push(|queue| queue.tasks.push_back(task));
        pending
    }

    /// Puts an array that is whole on disk, and gives it its name. With little effort it is done when this returns;
    /// otherwise the machine is given another step when it is.
    pub(crate) fn publish(&self, array: &Arc<IncomingArray>) -> Publication {
        let (array, publisher) = (Arc::clone(array), Arc::clone(&self.publisher));
        if array.sink.effort() == Effort::Brief {
            let (job, publication) = Job::new(array, publisher, Arc::new(|| {}));
            put_on_disk(vec![job]);
            return publication;
        }
        publisher.publish(array, Arc::clone(&self.waker))
    }
}

impl Publisher {
    /// That of this process.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Publisher>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self {
                shared: Arc::default(),
                threads: Mutex::default(),
            });
            *shared = Arc::downgrade(&new);
            new
        })
    }

    /// Syncs an array that is whole, and gives it its name. `waker` is called when it is done.
    fn publish(self: &Arc<Self>, array: Arc<IncomingArray>, waker: Waker) -> Publication {
        let is_small = array.sink.ledger.landed_bytes() <= SMALL_BYTES_MAX;
        let (job, publication) = Job::new(array, Arc::<Self>::clone(self), waker);
        self.push(|queue| {
            if is_small {
                queue.small.push_back(job);
            } else {
                queue.large.push_back(job);
            }
        });
        publication
    }

    /// Has the kernel begin to write out what it holds of a file.
    pub(crate) fn write_out(&self, file: &Arc<File>) {
        self.push(|queue| {
            if !queue.write_outs.iter().any(|waiting| Arc::ptr_eq(waiting, file)) {
                queue.write_outs.push_back(Arc::clone(file));
            }
        });
    }

    fn push(&self, add: impl FnOnce(&mut Queue)) {
        let starts = {
            let mut queue = self.shared.lock();
            add(&mut queue);
            let starts = queue.waiting() > queue.idle && queue.threads < THREADS_MAX;
            queue.threads += usize::from(starts);
            starts
        };
        self.shared.news.notify_one();
        if !starts {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let body = move || {
            shared.work();
            Ok(())
        };
        if let Ok(thread) = Thread::start("arraylift-sync", body) {
            self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
            return;
        }
        let mut queue = self.shared.lock();
        queue.threads -= 1;
        // Without any thread it is done here: late is better than never.
        while queue.threads == 0
            && let Some(work) = queue.next()
        {
            drop(queue);
            self.shared.run(work);
            queue = self.shared.lock();
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.lock().ends = true;
        self.shared.news.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing that panics is done under the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until there is nothing more to do, ever.
    fn work(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(work) = queue.next() {
                drop(queue);
                self.run(work);
                queue = self.lock();
            } else if queue.ends {
                return;
            } else {
                queue.idle += 1;
                queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
            }
        }
    }

    fn run(&self, work: Work) {
        let mut is_batch = false;
        match work {
            Work::Task(task) => return task.run(),
            Work::Batch(jobs) => {
                is_batch = true;
                put_on_disk(jobs);
            }
            Work::Large(job) => put_on_disk(vec![job]),
            // What goes wrong is told by the sync.
            Work::WriteOut(file) => begin_write_out(&file).unwrap_or_default(),
        }
        let mut queue = self.lock();
        queue.syncing -= 1;
        queue.has_batch &= !is_batch;
        drop(queue);
        self.news.notify_one();
    }
}

impl Queue {
    fn next(&mut self) -> Option<Work> {
        let task = self.tasks.pop_front().map(Work::Task);
        if task.is_some() || self.syncing == SYNCS_MAX {
            return task;
        }
        let sync = self.next_sync();
        self.syncing += usize::from(sync.is_some());
        sync
    }

    fn next_sync(&mut self) -> Option<Work> {
        if !self.has_batch && !self.small.is_empty() {
            self.has_batch = true;
            let count = self.small.len().min(BATCH_MAX);
            return Some(Work::Batch(self.small.drain(..count).collect()));
        }
        let large = self.large.pop_front().map(Work::Large);
        large.or_else(|| self.write_outs.pop_front().map(Work::WriteOut))
    }

    /// For how many threads there is something to do.
    fn waiting(&self) -> usize {
        let batches = usize::from(!self.has_batch && !self.small.is_empty());
        let syncs = batches + self.large.len() + self.write_outs.len();
        self.tasks.len() + syncs.min(SYNCS_MAX - self.syncing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    #[test]
    fn work_that_panics_is_an_error_whoever_does_it_and_the_thread_that_does_goes_on() {
        for effort in [Effort::Brief, Effort::MayLast] {
            let (wake, woken) = bounded(1);
            let disk = PublishContext::new(Arc::new(move || wake.send(()).expect("heard")));
            let panics = || -> Result<(), Error> { panic!("on purpose, in a test") };
            let pending = disk.begin(effort, panics);
            if effort == Effort::MayLast {
                woken.recv().expect("a wake");
            }
            let told = Error::Bug("a task of the publisher panicked".into());
            assert_eq!(pending.take(), Some(Err(told)), "{effort:?}");
        }
    }
}
