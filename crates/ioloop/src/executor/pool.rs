//! The threads of a pool and the queue they take jobs from.

use std::collections::VecDeque;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::ExecutorConfig;
use super::error::ExecutorError;
use crate::report;

/// A job as the queue holds it. What it runs is caught inside.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// How often a thread that ran out of jobs looks again before it goes to sleep. A loop that awaits
/// one job after the other submits the next within a few microseconds, and waking a thread costs
/// more than that.
const LOOKS: u32 = 400;

/// The handle of a pool. Dropping it shuts the pool.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    config: ExecutorConfig,
    state: Mutex<State>,
    /// Signalled for each job that a sleeping thread should take, and when the pool is shut.
    work: Condvar,
    /// The number of waiting jobs, for threads that look without the lock.
    waiting: AtomicUsize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Threads that wait for `work`.
    sleeping: usize,
    /// How many of them were signalled and have not woken yet.
    signalled: usize,
    /// Threads that look for work without the lock.
    looking: usize,
    threads: Vec<JoinHandle<()>>,
    shut: bool,
}

impl Pool {
    pub(super) fn new(config: ExecutorConfig) -> Arc<Self> {
        let shared = Arc::new(Shared {
            config,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                sleeping: 0,
                signalled: 0,
                looking: 0,
                threads: Vec::new(),
                shut: false,
            }),
            work: Condvar::new(),
            waiting: AtomicUsize::new(0),
        });
        Arc::new(Self { shared })
    }

    /// Queues a job, starting a thread for it if none is free and there may be one more.
    pub(super) fn submit(&self, job: Job) -> Result<(), ExecutorError> {
        let shared = &self.shared;
        let mut state = shared.lock();
        if state.shut {
            return Err(ExecutorError::shut_down());
        }
        if state.jobs.len() >= shared.config.queue {
            return Err(ExecutorError::full(shared.config.queue));
        }
        state.jobs.push_back(job);
        shared.waiting.store(state.jobs.len(), Ordering::Release);
        if state.jobs.len() <= state.looking {
            return Ok(());
        }
        if state.sleeping > state.signalled {
            state.signalled += 1;
            drop(state);
            shared.work.notify_one();
            return Ok(());
        }
        if state.threads.len() < shared.config.threads.max(1)
            && let Err(err) = shared.start_thread(&mut state)
            && state.threads.is_empty()
        {
            // Without any thread the job would wait for ever.
            let job = state.jobs.pop_back();
            shared.waiting.store(state.jobs.len(), Ordering::Release);
            drop(state);
            // Not under the lock: what it holds may use the pool when it is dropped.
            drop(job);
            return Err(ExecutorError::no_thread(err));
        }
        Ok(())
    }

    /// Refuses further jobs; the threads end when those that wait have run.
    pub(super) fn shut(&self) {
        self.shared.lock().shut = true;
        self.shared.work.notify_all();
    }

    /// Waits for the threads to end. One of them must not wait for itself, so it waits for none.
    pub(super) fn join(&self) {
        let mut state = self.shared.lock();
        let me = thread::current().id();
        if state
            .threads
            .iter()
            .any(|thread| thread.thread().id() == me)
        {
            return;
        }
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        for thread in threads {
            // A thread cannot panic: whatever panics in a job is caught.
            let _ = thread.join();
        }
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shared.lock().shut
    }

    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().jobs.len()
    }

    pub(super) fn name(&self) -> &str {
        &self.shared.config.name
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shut();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock, so poison means nothing here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let name = format!("{}-{}", self.config.name, state.threads.len());
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || shared.work())?;
        state.threads.push(thread);
        Ok(())
    }

    /// The life of a thread.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                self.waiting.store(state.jobs.len(), Ordering::Release);
                drop(state);
                report::quietly(job);
                state = self.lock();
                continue;
            }
            if state.shut {
                return;
            }
            state = self.look(state);
            if state.jobs.is_empty() && !state.shut {
                state = self.sleep(state);
            }
        }
    }

    /// Looks for a job for a moment without holding the lock. One thread at a time does.
    fn look<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.looking > 0 {
            return state;
        }
        state.looking += 1;
        drop(state);
        for _ in 0..LOOKS {
            if self.waiting.load(Ordering::Acquire) > 0 {
                break;
            }
            spin_loop();
        }
        state = self.lock();
        state.looking -= 1;
        state
    }

    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.sleeping += 1;
        // A wake-up out of the blue does not count. Any sleeper may take any signal, also when the job
        // that it was for has been taken meanwhile.
        while state.signalled == 0 && !state.shut {
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.sleeping -= 1;
        state.signalled = state.signalled.saturating_sub(1);
        state
    }
}
