//! Where the memory of tasks comes from: small blocks are kept by the loop and used again.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

use crate::core::Core;

/// Sizes of the blocks that are kept, in bytes. A larger cell goes back to the allocator.
const CLASSES: [usize; 5] = [128, 192, 256, 384, 512];

/// Bytes kept in each class: enough for a busy turn.
const KEPT_BYTES: usize = 32 * 1024;

/// Alignment of the blocks. A future that asks for more goes to the allocator.
const ALIGN: usize = 16;

/// A loop's store of blocks.
pub(crate) struct Cells {
    classes: [Class; CLASSES.len()],
}

/// Blocks of one size: a stack, threaded through the blocks.
struct Class {
    top: Cell<Option<NonNull<Kept>>>,
    /// How many more may be kept.
    room: Cell<usize>,
}

/// What stands in a block while it is kept.
struct Kept {
    below: Option<NonNull<Kept>>,
}

/// The class that blocks for a `C` belong to.
const fn class_of<C>() -> Option<usize> {
    if align_of::<C>() > ALIGN {
        return None;
    }
    let mut class = 0;
    while class < CLASSES.len() {
        if size_of::<C>() <= CLASSES[class] {
            return Some(class);
        }
        class += 1;
    }
    None
}

const fn layout_of<C>() -> Layout {
    match class_of::<C>() {
        Some(class) => block(class),
        None => Layout::new::<C>(),
    }
}

const fn block(class: usize) -> Layout {
    match Layout::from_size_align(CLASSES[class], ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("block sizes are multiples of their alignment"),
    }
}

impl Cells {
    pub(crate) fn new() -> Self {
        let classes = CLASSES.map(|size| Class {
            top: Cell::new(None),
            room: Cell::new(KEPT_BYTES / size),
        });
        Self { classes }
    }

    /// A block for a `C`.
    pub(crate) fn take<C>(&self) -> NonNull<C> {
        if let Some(class) = const { class_of::<C>() }
            && let Some(block) = self.classes[class].pop()
        {
            return block.cast();
        }
        let layout = const { layout_of::<C>() };
        // SAFETY: a cell holds a header, so its size is not zero.
        let memory = unsafe { alloc(layout) };
        NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout))
    }

    /// Takes a block back, from any thread: the loop of this thread keeps it, if there is one.
    ///
    /// # Safety
    ///
    /// The block came from `take::<C>` of some loop, and nothing in it is used or dropped any more.
    pub(crate) unsafe fn give_back<C>(block: NonNull<C>) {
        let kept = const { class_of::<C>() }.is_some_and(|class| {
            // SAFETY: blocks of one class are all alike.
            Core::with_current(|core| unsafe { core.cells().classes[class].push(block.cast()) })
                .unwrap_or(false)
        });
        if !kept {
            // SAFETY: `take::<C>` allocated it with this layout.
            unsafe { dealloc(block.as_ptr().cast(), const { layout_of::<C>() }) };
        }
    }
}

impl Class {
    fn pop(&self) -> Option<NonNull<Kept>> {
        let top = self.top.get()?;
        // SAFETY: a kept block starts with a `Kept`.
        self.top.set(unsafe { top.as_ref() }.below);
        self.room.set(self.room.get() + 1);
        Some(top)
    }

    /// Keeps a block unless there are enough.
    ///
    /// # Safety
    ///
    /// The block is of this class and unused.
    unsafe fn push(&self, block: NonNull<Kept>) -> bool {
        if self.room.get() == 0 {
            return false;
        }
        let below = self.top.get();
        // SAFETY: every block is larger than a `Kept` and aligned for it.
        unsafe { block.write(Kept { below }) };
        self.top.set(Some(block));
        self.room.set(self.room.get() - 1);
        true
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        for (index, class) in self.classes.iter().enumerate() {
            while let Some(memory) = class.pop() {
                // SAFETY: the block came from `alloc` with the layout of its class.
                unsafe { dealloc(memory.as_ptr().cast(), block(index)) };
            }
        }
    }
}
