use super::*;

/// A root, an object that it leads to, and a weak pointer from there to a third, which leads to a
/// fourth.
fn model() -> Model {
    let mut model = Model::default();
    for id in 1..=4 {
        model.allocate(id, Kind::Record, None);
    }
    model.roots.push(Slot::Strong(1));
    model.write(1, 0, Slot::Strong(2));
    model.write(2, 0, Slot::Weak(3));
    model.write(3, 0, Slot::Strong(4));
    model
}

fn is_whole(model: &Model, id: Id) -> Option<bool> {
    model.get(id).map(|object| object.whole)
}

#[test]
fn a_full_collection_leaves_what_is_reachable_and_shells() {
    let mut model = model();
    model.collect();
    assert_eq!(is_whole(&model, 2), Some(true));
    assert_eq!(
        (is_whole(&model, 3), is_whole(&model, 4)),
        (Some(false), None)
    );
    assert_eq!((model.count(), model.is_vague()), (3, false));
}

#[test]
fn a_cycle_frees_what_was_unreachable_when_it_began() {
    let mut model = model();
    model.begin_cycle();
    model.write(1, 0, Slot::Nil);
    model.end_cycle();
    // The second may still be there, and with it the shell.
    assert_eq!(
        (is_whole(&model, 2), is_whole(&model, 3)),
        (Some(true), Some(false))
    );
    assert_eq!(is_whole(&model, 4), None);
    assert_eq!((model.certain(&model.reachable()), model.count()), (1, 3));
    assert!(model.is_vague());
    model.begin_cycle();
    model.end_cycle();
    assert_eq!(model.count(), 1);
}

#[test]
fn what_is_upgraded_stays_with_all_that_it_leads_to() {
    let mut model = model();
    model.begin_cycle();
    model.upgraded(3);
    model.end_cycle();
    assert_eq!(
        (is_whole(&model, 3), is_whole(&model, 4)),
        (Some(true), Some(true))
    );
    model.collect();
    assert_eq!(
        (is_whole(&model, 3), is_whole(&model, 4)),
        (Some(false), None)
    );
}

#[test]
#[should_panic(expected = "object 3 came back without object 4")]
fn nothing_comes_back_without_what_it_leads_to() {
    let mut model = model();
    model.begin_cycle();
    model.vanished(4);
    model.upgraded(3);
}

#[test]
fn an_abandoned_cycle_owes_nothing() {
    let mut model = model();
    model.begin_cycle();
    model.abandon_cycle();
    assert_eq!((model.count(), model.in_cycle()), (4, false));
    model.upgraded(3);
    model.collect();
    assert_eq!(model.count(), 3);
}

#[test]
fn finalizers_keep_what_they_see_until_they_have_run() {
    let mut model = model();
    model.register(10, 3, false);
    model.write(2, 1, Slot::Long(4));
    model.collect();
    assert_eq!(model.waiting(), (1, 1));
    for id in [3, 4] {
        assert_eq!(is_whole(&model, id), Some(true));
        assert_eq!(model.is_open(id, &model.reachable()), Some(false));
    }
    assert_eq!(model.ran(10), (3, false));
    model.collect();
    assert_eq!(
        (is_whole(&model, 3), is_whole(&model, 4)),
        (Some(false), Some(false))
    );
}

#[test]
fn values_live_as_long_as_keys() {
    let mut model = Model::default();
    for id in 1..=4 {
        model.allocate(id, Kind::Keyed, None);
    }
    model.roots.push(Slot::Strong(1));
    model.roots.push(Slot::Strong(2));
    // The first holds a pair of which the value holds the next.
    model.pair(1, Some((2, 3)));
    model.pair(3, Some((2, 4)));
    model.collect();
    assert_eq!(model.count(), 4);
    model.roots.pop();
    model.collect();
    // Of the key there is the shell.
    assert_eq!((model.count(), is_whole(&model, 2)), (2, Some(false)));
}

#[test]
fn a_way_can_be_cut() {
    let mut model = model();
    let route = model.route(0, &[0]).unwrap();
    assert_eq!(route.id, 2);
    assert!(model.leads(&route));
    model.write(1, 0, Slot::Weak(2));
    assert!(!model.leads(&route));
}
