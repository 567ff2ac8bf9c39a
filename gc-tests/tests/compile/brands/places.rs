//! Where the public surface takes a family.

/// Code that uses `FAMILY`, whose member is `MEMBER`, and lets a pointer of the root escape to `keep` where it can.
pub struct Place {
    pub name: &'static str,
    pub body: &'static str,
    pub needs_collect: bool,
    pub needs_sync: bool,
    /// Whether it is code that knows of the family only that it is `Rootable`.
    pub is_generic: bool,
    /// Whether all carriers are tried here, or only those that are tried everywhere.
    pub for_all_carriers: bool,
}

const fn place(name: &'static str, body: &'static str) -> Place {
    Place {
        name,
        body,
        needs_collect: false,
        needs_sync: false,
        is_generic: false,
        for_all_carriers: false,
    }
}

impl Place {
    const fn collect(self) -> Place {
        Place {
            needs_collect: true,
            ..self
        }
    }

    const fn sync(self) -> Place {
        Place {
            needs_sync: true,
            ..self
        }
    }

    const fn for_all(self) -> Place {
        Place {
            for_all_carriers: true,
            ..self
        }
    }

    const fn generic(self) -> Place {
        Place {
            is_generic: true,
            ..self
        }
    }
}

pub const PLACES: &[Place] = &[
    // Local arenas.
    place(
        "mutate",
        "any::<Arena<FAMILY>>().mutate(|_, root| keep(root.0));",
    )
    .for_all(),
    place(
        "mutate_root",
        "any::<Arena<FAMILY>>().mutate_root(|_, root| keep(root.0));",
    ),
    place(
        "new",
        "let _ = Arena::<FAMILY>::new(|mc| { let gc = string(mc); keep(gc); any() });",
    )
    .collect()
    .for_all(),
    place(
        "try_new",
        "let _ = Arena::<FAMILY>::try_new(|mc| { let gc = string(mc); keep(gc); Err(()) \
         });",
    )
    .collect(),
    place(
        "with_options",
        "let _ = Arena::<FAMILY>::with_options(any(), |mc| { let gc = string(mc); \
         keep(gc); any() });",
    )
    .collect(),
    place(
        "map_root_from",
        "let _ = any::<Arena<FAMILY>>().map_root::<Unit>(|_, root| keep(root.0));",
    )
    .collect(),
    place(
        "map_root_to",
        "let _ = any::<Arena<Unit>>().map_root::<FAMILY>(|mc, _| { let gc = string(mc); \
         keep(gc); any() });",
    )
    .collect()
    .for_all(),
    place(
        "try_map_root_from",
        "let _ = any::<Arena<FAMILY>>().try_map_root::<Unit, ()>(|_, root| \
         Ok(keep(root.0)));",
    )
    .collect(),
    place(
        "try_map_root_to",
        "let _ = any::<Arena<Unit>>().try_map_root::<FAMILY, ()>(|mc, _| { let gc = \
         string(mc); keep(gc); Err(()) });",
    )
    .collect(),
    place(
        "finalize",
        "any::<Arena<FAMILY>>().finish_marking().unwrap().finalize(|_, root| \
         keep(root.0));",
    )
    .collect()
    .for_all(),
    place(
        "marked_arena",
        "any::<MarkedArena<'static, FAMILY>>().finalize(|_, root| keep(root.0));",
    )
    .collect(),
    // Shared arenas.
    place(
        "shared_new",
        "let _ = shared::Arena::<FAMILY>::new(|mc| { let gc = mc.allocate(String::new()); \
         keep(gc); any() });",
    )
    .collect()
    .sync(),
    place(
        "shared_with_options",
        "let _ = shared::Arena::<FAMILY>::with_options(any(), |mc| { let gc = \
         mc.allocate(String::new()); keep(gc); any() });",
    )
    .collect()
    .sync(),
    place(
        "shared_mutate",
        "any::<shared::Arena<FAMILY>>().attach().mutate(|_, root| keep(root.0));",
    )
    .for_all(),
    place(
        "attached",
        "any::<shared::Attached<'static, FAMILY>>().mutate(|_, root| keep(root.0));",
    ),
    // Handles.
    place(
        "stash",
        "rootless_mutate(|mc| { let _ = DynamicRootSet::new(mc).stash::<FAMILY>(mc, \
         any()); });",
    )
    .for_all(),
    place(
        "fetch",
        "rootless_mutate(|mc| \
         keep(DynamicRootSet::new(mc).fetch(&any::<DynamicRoot<FAMILY>>()).0));",
    ),
    place(
        "contains",
        "rootless_mutate(|mc| { let _ = \
         DynamicRootSet::new(mc).contains(&any::<DynamicRoot<FAMILY>>()); });",
    ),
    place(
        "pin",
        "rootless_mutate(|mc| { let gc: Gc<'_, <FAMILY as Rootable<'_>>::Root> = any(); \
         let _ = Gc::pin::<FAMILY>(mc, gc); });",
    ),
    place(
        "pinned",
        "rootless_mutate(|mc| keep(any::<Pinned<FAMILY>>().get(mc).0));",
    ),
    place(
        "shared_root",
        "any::<shared::Arena<Unit>>().attach().mutate(|mc, _| { let _ = \
         mc.root::<FAMILY>(any()); });",
    ),
    place(
        "shared_get",
        "any::<shared::Arena<Unit>>().attach().mutate(|mc, _| \
         keep(mc.get(&any::<shared::Root<FAMILY>>()).0));",
    ),
    place(
        "shared_pin",
        "any::<shared::Arena<Unit>>().attach().mutate(|mc, _| { let gc: Gc<'_, <FAMILY as \
         Rootable<'_>>::Root> = any(); let _ = Gc::pin::<FAMILY>(mc, gc); });",
    ),
    place(
        "shared_pinned",
        "any::<shared::Arena<Unit>>().attach().mutate(|mc, _| \
         keep(any::<shared::Pinned<FAMILY>>().get(mc).0));",
    ),
    // Generic code of others.
    place("host", "host::<FAMILY>().with(|_, root| keep(root.0));")
        .generic()
        .for_all(),
    place(
        "host_that_makes",
        "let _ = Host::<FAMILY>::make(|mc| { let gc = string(mc); keep(gc); any() });",
    )
    .generic()
    .collect(),
    place(
        "trait_of_hosts",
        "<Host<FAMILY> as Hosts<FAMILY>>::visit(any::<&_>(), |_, root| keep(root.0));",
    )
    .generic(),
    // Code that knows the member by a bound, or by that of an opaque type.
    place(
        "member_by_a_bound",
        "fn f<R: for<'gc> Rootable<'gc, Root = MEMBER>>(arena: &Arena<R>) { \
         arena.mutate(|_, root| keep(root.0)) } f(any::<&Arena<FAMILY>>());",
    ),
    place(
        "opaque",
        "fn family() -> impl for<'gc> Rootable<'gc, Root = MEMBER> { any::<FAMILY>() } \
         fn arena<R: for<'gc> Rootable<'gc>>(_: &R) -> &Arena<R> { any() } \
         arena(&family()).mutate(|_, root| keep(root.0));",
    ),
    // Where the compiler checks bodies in other ways than those of functions.
    place(
        "in_a_closure",
        "let f = || any::<Arena<FAMILY>>().mutate(|_, root| keep(root.0)); f();",
    ),
    place(
        "in_a_callback",
        "any::<Arena<Unit>>().mutate(|_, _| host::<FAMILY>().with(|_, root| \
         keep(root.0)));",
    )
    .generic(),
    place(
        "in_a_future",
        "let _ = async { any::<Arena<FAMILY>>().mutate(|_, root| keep(root.0)) };",
    ),
    place(
        "in_a_constant",
        "const F: fn() = || any::<Arena<FAMILY>>().mutate(|_, root| keep(root.0)); F();",
    ),
    place(
        "inferred",
        "let arena = any(); mutate_it(&arena, |_, root| keep(root.0)); fn \
         mutate_it<T>(arena: &Arena<FAMILY>, f: impl for<'b> FnOnce(&'b Mutation<'b>, &'b \
         <FAMILY as Rootable<'b>>::Root) -> T) -> T { arena.mutate(f) }",
    ),
];
