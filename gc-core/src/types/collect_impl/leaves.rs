//! Types that hold no pointers of an arena, whatever their values: they are `'static`.
//!
//! Cells and locks of the standard library are among them if their content is: nothing would tell the
//! collector of a pointer that is put into one.

use core::cell::{Cell, LazyCell, OnceCell, RefCell, UnsafeCell};
use core::marker::{PhantomData, PhantomPinned};
use core::mem::MaybeUninit;
use core::num;
use core::sync::atomic;
use std::sync::{self, mpsc};
use std::{any, collections, env, error, ffi, fmt, fs, hash, io, net, path, process, thread, time};

use crate::types::collect::Collect;
use crate::types::owned_bytes::OwnedBytes;

macro_rules! leaves {
    ($($type:ty),* $(,)?) => { $(static_collect!($type);)* };
}

leaves!(
    bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64
);
leaves!(str, ffi::CStr, ffi::OsStr, path::Path);

/// Types that own bytes.
macro_rules! owners_of_bytes {
    ($($type:ty: |$value:ident| $bytes:expr;)*) => {$(
        // SAFETY: the type has no parameter, so its values hold no pointers that are branded by a lifetime.
        unsafe impl<'gc> Collect<'gc> for $type {
            const NEEDS_TRACE: bool = false;

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                let $value = self;
                owned.add($bytes);
            }
        }
    )*};
}
owners_of_bytes! {
    String: |string| string.capacity();
    ffi::CString: |string| string.as_bytes_with_nul().len();
    ffi::OsString: |string| string.capacity();
    path::PathBuf: |path| path.capacity();
}

leaves!(
    num::NonZeroU8,
    num::NonZeroU16,
    num::NonZeroU32,
    num::NonZeroU64,
    num::NonZeroU128,
    num::NonZeroUsize,
    num::NonZeroI8,
    num::NonZeroI16,
    num::NonZeroI32,
    num::NonZeroI64,
    num::NonZeroI128,
    num::NonZeroIsize,
);
leaves!(
    atomic::AtomicBool,
    atomic::AtomicU8,
    atomic::AtomicU16,
    atomic::AtomicU32,
    atomic::AtomicU64,
    atomic::AtomicUsize,
    atomic::AtomicI8,
    atomic::AtomicI16,
    atomic::AtomicI32,
    atomic::AtomicI64,
    atomic::AtomicIsize,
);
leaves!(
    core::alloc::Layout,
    core::cmp::Ordering,
    atomic::Ordering,
    core::convert::Infallible,
    core::ops::RangeFull,
    core::panic::Location<'static>,
    core::task::Waker,
    PhantomPinned,
    any::TypeId,
    fmt::Alignment,
);
leaves!(
    core::alloc::LayoutError,
    core::array::TryFromSliceError,
    core::cell::BorrowError,
    core::cell::BorrowMutError,
    core::char::CharTryFromError,
    core::char::DecodeUtf16Error,
    core::char::ParseCharError,
    core::char::TryFromCharError,
    core::ffi::FromBytesUntilNulError,
    core::ffi::FromBytesWithNulError,
    core::str::ParseBoolError,
    core::str::Utf8Error,
    collections::TryReserveError,
    env::VarError,
    ffi::IntoStringError,
    ffi::NulError,
    fmt::Error,
    io::Error,
    io::ErrorKind,
    net::AddrParseError,
    num::FpCategory,
    num::IntErrorKind,
    num::ParseFloatError,
    num::ParseIntError,
    num::TryFromIntError,
    path::StripPrefixError,
    std::string::FromUtf8Error,
    std::string::FromUtf16Error,
    mpsc::RecvError,
    mpsc::TryRecvError,
    mpsc::RecvTimeoutError,
    thread::AccessError,
    time::SystemTimeError,
);
leaves!(core::time::Duration, time::Instant, time::SystemTime);
leaves!(
    net::IpAddr,
    net::Ipv4Addr,
    net::Ipv6Addr,
    net::SocketAddr,
    net::SocketAddrV4,
    net::SocketAddrV6,
    net::TcpListener,
    net::TcpStream,
    net::UdpSocket,
    net::Shutdown,
);
leaves!(
    fs::DirEntry,
    fs::File,
    fs::FileType,
    fs::Metadata,
    fs::OpenOptions,
    fs::Permissions,
    fs::ReadDir,
    io::Empty,
    io::Repeat,
    io::SeekFrom,
    io::Sink,
    io::Stderr,
    io::Stdin,
    io::Stdout,
);
leaves!(
    process::Child,
    process::ChildStderr,
    process::ChildStdin,
    process::ChildStdout,
    process::Command,
    process::ExitCode,
    process::ExitStatus,
    process::Output,
    process::Stdio,
    std::backtrace::Backtrace,
    sync::Barrier,
    sync::Condvar,
    sync::Once,
    thread::Builder,
    thread::Thread,
    thread::ThreadId,
    hash::DefaultHasher,
    hash::RandomState,
);
leaves!(
    dyn any::Any,
    dyn any::Any + Send,
    dyn any::Any + Send + Sync,
    dyn error::Error,
    dyn error::Error + Send,
    dyn error::Error + Send + Sync,
);

/// Generic types that are `'static` if their parameters are.
macro_rules! generic_leaves {
    ($($($path:ident)::+ <$($param:ident $(: ?$unsized:ident)?),*>),* $(,)?) => {$(
        // SAFETY: a `'static` value cannot hold pointers that are branded by a lifetime.
        unsafe impl<'gc, $($param: 'static $(+ ?$unsized)?),*> Collect<'gc> for $($path)::+<$($param),*> {
            const NEEDS_TRACE: bool = false;
        }
    )*};
}
generic_leaves!(
    Cell<T: ?Sized>,
    RefCell<T: ?Sized>,
    UnsafeCell<T: ?Sized>,
    OnceCell<T>,
    LazyCell<T, F>,
    MaybeUninit<T>,
    atomic::AtomicPtr<T>,
    sync::Mutex<T: ?Sized>,
    sync::RwLock<T: ?Sized>,
    sync::OnceLock<T>,
    sync::LazyLock<T, F>,
    mpsc::Receiver<T>,
    mpsc::Sender<T>,
    mpsc::SyncSender<T>,
    thread::JoinHandle<T>,
    thread::LocalKey<T>,
    hash::BuildHasherDefault<H>,
    io::BufReader<R: ?Sized>,
);

/// Iterators that are `'static`. Where one holds pointers of an arena, nobody else can visit them.
mod iterators {
    use core::{iter, option, result, slice, str};
    use std::collections::{
        binary_heap, btree_map, btree_set, hash_map, hash_set, linked_list, vec_deque,
    };

    use crate::types::collect::Collect;

    generic_leaves!(
        iter::Chain<A, B>,
        iter::Cloned<I>,
        iter::Copied<I>,
        iter::Cycle<I>,
        iter::Enumerate<I>,
        iter::Filter<I, P>,
        iter::FilterMap<I, F>,
        iter::FromFn<F>,
        iter::Fuse<I>,
        iter::Inspect<I, F>,
        iter::Map<I, F>,
        iter::MapWhile<I, P>,
        iter::Once<T>,
        iter::Repeat<T>,
        iter::RepeatN<T>,
        iter::RepeatWith<F>,
        iter::Rev<I>,
        iter::Scan<I, S, F>,
        iter::Skip<I>,
        iter::SkipWhile<I, P>,
        iter::StepBy<I>,
        iter::Successors<T, F>,
        iter::Take<I>,
        iter::TakeWhile<I, P>,
        iter::Zip<A, B>,
        binary_heap::IntoIter<T>,
        btree_map::IntoIter<K, V>,
        btree_set::IntoIter<T>,
        hash_map::IntoIter<K, V>,
        hash_set::IntoIter<T>,
        linked_list::IntoIter<T>,
        option::IntoIter<T>,
        result::IntoIter<T>,
        vec_deque::IntoIter<T>,
    );

    // SAFETY: a `'static` value cannot hold pointers that are branded by a lifetime.
    unsafe impl<'gc, I: Iterator + 'static> Collect<'gc> for iter::Peekable<I> {
        const NEEDS_TRACE: bool = false;
    }

    /// Iterators that borrow what lives for ever.
    macro_rules! borrowing {
        ($($($path:ident)::+ $(<$param:ident>)?),* $(,)?) => {$(
            // SAFETY: a `'static` value cannot hold pointers that are branded by a lifetime. The bound is not
            // implied, as for `&'static T`.
            unsafe impl<'gc $(, $param: 'static)?> Collect<'gc> for $($path)::+<'static $(, $param)?> {
                const NEEDS_TRACE: bool = false;
            }
        )*};
    }
    borrowing!(
        option::Iter<T>,
        slice::Chunks<T>,
        slice::ChunksExact<T>,
        slice::Iter<T>,
        slice::IterMut<T>,
        slice::Windows<T>,
        str::Bytes,
        str::CharIndices,
        str::Chars,
        str::Lines,
        str::SplitWhitespace,
    );

    // SAFETY: there is no value.
    unsafe impl<'gc, T> Collect<'gc> for iter::Empty<T> {
        const NEEDS_TRACE: bool = false;
    }
}

// SAFETY: a reference that lives for ever cannot lead to something branded by a lifetime. (The bound is
// not implied: without it, some compilers take `&'static Gc<'gc, T>` for such a type.)
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for &'static T {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: what is `'static` cannot lead to something branded by a lifetime, and nobody else has the reference.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for &'static mut T {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: there is no value.
unsafe impl<'gc, T: ?Sized> Collect<'gc> for PhantomData<T> {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: what is `'static` cannot lead to something branded by a lifetime; and nobody follows it but by
// `unsafe` means.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for *const T {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: what is `'static` cannot lead to something branded by a lifetime; and nobody follows it but by `unsafe`
// means.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for *mut T {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: what is `'static` cannot lead to something branded by a lifetime; and nobody follows it but by `unsafe`
// means.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for core::ptr::NonNull<T> {
    const NEEDS_TRACE: bool = false;
}

/// Pointers to functions: code holds no pointers, whatever types it is for.
///
/// `fn(&A)` is `for<'a> fn(&'a A)` and not among them. An implementation for such a type is one for an `fn(A)` as
/// well, as far as the compiler's rule for overlaps is concerned (`coherence_leak_check`), and may be refused in the
/// future. The derive macro knows pointers to functions by their text.
macro_rules! functions {
    ($($($arg:ident)*;)*) => {$(functions!(@ $($arg)*);)*};
    (@ $($arg:ident)*) => {
        functions!(# fn($($arg),*) -> R; $($arg)*);
        functions!(# unsafe fn($($arg),*) -> R; $($arg)*);
        functions!(# extern "C" fn($($arg),*) -> R; $($arg)*);
        functions!(# unsafe extern "C" fn($($arg),*) -> R; $($arg)*);
    };
    (# $type:ty; $($arg:ident)*) => {
        // SAFETY: it is the address of code.
        unsafe impl<'gc, R, $($arg),*> Collect<'gc> for $type {
            const NEEDS_TRACE: bool = false;
        }
    };
}
functions! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}
