//! Where the lines of a program go: to standard output, or to whoever has set the stage of this thread.
//!
//! ```
//! use std::cell::RefCell;
//! use std::rc::Rc;
//!
//! use squall_examples::{say, stage};
//!
//! let lines = Rc::new(RefCell::new(Vec::new()));
//! let sink = Rc::clone(&lines);
//! stage::on_line(move |line| sink.borrow_mut().push(line.to_owned()));
//! say!("1 + 1 = {}", 1 + 1);
//! stage::clear();
//! assert_eq!(*lines.borrow(), ["1 + 1 = 2"]);
//! ```

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

type Sink = Rc<dyn Fn(&str)>;

thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
}

/// Has `sink` told each line that this thread says from now on, instead of standard output.
///
/// A line comes without its end. Lines of other threads, such as those of a pool, are not among them.
pub fn on_line(sink: impl Fn(&str) + 'static) {
    SINK.set(Some(Rc::new(sink)));
}

/// Has this thread's lines go to standard output again.
pub fn clear() {
    SINK.set(None);
}

/// Prints a line as `println!` does, to standard output or to the [`stage`](crate::stage) of this thread.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => {
        $crate::stage::line(::std::format_args!($($words)*))
    };
}

/// What `say!` becomes.
#[doc(hidden)]
pub fn line(words: fmt::Arguments<'_>) {
    // Not borrowed while it runs: it may clear the stage, or say something itself.
    let sink = SINK.with_borrow(Clone::clone);
    match sink {
        Some(sink) => sink(&words.to_string()),
        // A reader that has gone away (`| head -1`) is no reason to end.
        None => {
            let _ = writeln!(io::stdout(), "{words}");
        }
    }
}
