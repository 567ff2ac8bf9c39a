//! Types that are well-formed only if `'gc` outlives `'long`, whatever that is.

/// A type, with `'gc` and `'long`.
pub struct Carrier {
    pub name: &'static str,
    pub ty: &'static str,
    /// Whether it is `Collect` if `'long` is `'gc`.
    pub is_collect: bool,
    /// Whether it is `Send` and `Sync`.
    pub is_sync: bool,
    /// Whether it is tried in all families at all places.
    pub is_tried_everywhere: bool,
}

const fn carrier(name: &'static str, ty: &'static str) -> Carrier {
    Carrier {
        name,
        ty,
        is_collect: true,
        is_sync: true,
        is_tried_everywhere: false,
    }
}

impl Carrier {
    const fn everywhere(self) -> Carrier {
        Carrier {
            is_tried_everywhere: true,
            ..self
        }
    }

    const fn not_collect(self) -> Carrier {
        Carrier {
            is_collect: false,
            ..self
        }
    }

    const fn not_sync(self) -> Carrier {
        Carrier {
            is_sync: false,
            ..self
        }
    }
}

pub const CARRIERS: &[Carrier] = &[
    carrier("phantom", "PhantomData<&'long &'gc ()>").everywhere(),
    carrier("result", "fn() -> &'long &'gc ()"),
    // Structs whose bound is written, or found by the compiler, or that of a parameter.
    carrier("written", "PhantomData<Written<'long, 'gc>>").everywhere(),
    carrier("inferred", "PhantomData<Inferred<'long, 'gc>>"),
    carrier("parameter", "PhantomData<Bounded<'long, Gc<'gc, u8>>>").not_sync(),
    carrier("derived", "Derived<'long, 'gc>"),
    // References.
    carrier("exclusive", "PhantomData<&'long mut &'gc ()>"),
    carrier("deep", "PhantomData<&'gc &'long &'gc ()>"),
    carrier("reference", "&'long &'gc ()").not_collect(),
    carrier("empty_array", "[&'long &'gc (); 0]").not_collect(),
    carrier("raw_pointer", "PhantomData<*const &'long &'gc ()>").not_sync(),
    // Signatures.
    carrier("argument", "fn(&'long &'gc ())"),
    carrier(
        "unsafe_argument",
        "unsafe extern \"C\" fn(u8, &'long &'gc ())",
    ),
    carrier(
        "higher_ranked",
        "PhantomData<for<'x> fn(&'x u8, &'long &'gc ()) -> &'x u8>",
    ),
    carrier(
        "in_a_signature",
        "fn(PhantomData<&'long &'gc ()>) -> Option<Gc<'gc, u8>>",
    ),
    carrier(
        "callable",
        "PhantomData<dyn Fn(&'long &'gc ()) -> u8 + Send + Sync + 'gc>",
    ),
    carrier(
        "object",
        "PhantomData<dyn Object<'long> + Send + Sync + 'gc>",
    ),
    // Pointers of an arena, and what owns values.
    carrier("pointer", "Option<Gc<'gc, PhantomData<&'long &'gc ()>>>"),
    carrier("pointer_to_a_reference", "Option<Gc<'gc, &'long &'gc ()>>").not_sync(),
    carrier("weak", "Option<GcWeak<'gc, &'long &'gc ()>>").not_sync(),
    carrier("lock", "Lock<PhantomData<&'long &'gc ()>>").not_sync(),
    carrier(
        "ref_lock",
        "Option<Gc<'gc, RefLock<Vec<PhantomData<&'long &'gc ()>>>>>",
    )
    .not_sync(),
    carrier("boxed", "Option<Box<PhantomData<&'long &'gc ()>>>"),
    carrier("list", "Vec<PhantomData<&'long &'gc ()>>"),
    carrier("tuple", "((), (u8, PhantomData<&'long &'gc ()>))"),
    carrier(
        "wrapper",
        "std::mem::ManuallyDrop<PhantomData<&'long &'gc ()>>",
    ),
    // A type that is another's associated type.
    carrier("associated", "<Associates as Associated<'gc, 'long>>::Type"),
];
