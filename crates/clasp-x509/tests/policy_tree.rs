//! Policies over paths of every kind, beside the tree that RFC 5280 6.1 describes, built as it is written there.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Options, PolicyInputs, Profile, Reason, verify};
use common::*;
use std::collections::BTreeSet;

/// A policy: 0 is anyPolicy.
type Policy = u8;
const ANY: Policy = 0;

fn content(policy: Policy) -> &'static [u8] {
    [&[0x55, 0x1d, 32, 0][..], &[0x2a, 3, 1], &[0x2a, 3, 2], &[0x2a, 3, 3]][usize::from(policy)]
}

/// What a certificate says of policies.
#[derive(Clone, Debug, Default)]
struct Said {
    policies: Option<Vec<Policy>>,
    mappings: Vec<(Policy, Policy)>,
    explicit: Option<u8>,
    no_mapping: Option<u8>,
    no_any: Option<u8>,
    self_issued: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    acceptable: &'static [Policy],
    explicit: bool,
    no_mapping: bool,
    no_any: bool,
}

#[derive(Clone, Debug)]
struct Node {
    valid: Policy,
    expected: BTreeSet<Policy>,
    parent: usize,
    children: bool,
}

/// valid_policy_tree, level by level; each node knows the place of its parent in the level above. None is NULL.
struct Tree(Option<Vec<Vec<Node>>>);

impl Tree {
    fn new() -> Self {
        Self(Some(vec![vec![Node { valid: ANY, expected: BTreeSet::from([ANY]), parent: 0, children: true }]]))
    }

    /// 6.1.3 (d) (3): nodes without children go, but for those of the last level; a tree without a last level is NULL.
    fn prune(&mut self, mut gone: impl FnMut(&Node) -> bool) {
        let Some(levels) = &mut self.0 else { return };
        let last = levels.len() - 1;
        for depth in (0..=last).rev() {
            let mut places = Vec::new();
            let mut kept = Vec::new();
            for node in levels[depth].drain(..) {
                let stays = if depth == last { !gone(&node) } else { node.children };
                places.push(stays.then_some(kept.len()));
                if stays {
                    kept.push(node);
                }
            }
            levels[depth] = kept;
            if depth < last {
                levels[depth + 1].iter_mut().for_each(|node| node.parent = places[node.parent].unwrap());
            }
            if depth > 0 {
                levels[depth - 1].iter_mut().for_each(|node| node.children = false);
                let parents: Vec<usize> = levels[depth].iter().map(|node| node.parent).collect();
                parents.into_iter().for_each(|parent| levels[depth - 1][parent].children = true);
            }
        }
        if levels[0].is_empty() || levels[last].is_empty() {
            self.0 = None;
        }
    }

    /// 6.1.3 (d), (e).
    fn certificate(&mut self, said: &Said, any_counts: bool) {
        let Some(list) = &said.policies else { return self.0 = None };
        let Some(levels) = &mut self.0 else { return };
        let above = levels.last().unwrap();
        let mut new: Vec<Node> = Vec::new();
        let child = |valid, parent| Node { valid, expected: BTreeSet::from([valid]), parent, children: false };
        for policy in list.iter().copied().filter(|policy| *policy != ANY) {
            let expecting = above.iter().enumerate().filter(|(_, node)| node.expected.contains(&policy));
            let before = new.len();
            new.extend(expecting.map(|(parent, _)| child(policy, parent)));
            if new.len() == before {
                let any = above.iter().position(|node| node.valid == ANY);
                new.extend(any.map(|parent| child(policy, parent)));
            }
        }
        if list.contains(&ANY) && any_counts {
            for (parent, node) in above.iter().enumerate() {
                for expected in &node.expected {
                    if !new.iter().any(|n| n.parent == parent && n.valid == *expected) {
                        new.push(child(*expected, parent));
                    }
                }
            }
        }
        levels.push(new);
        self.prune(|_| false);
    }

    /// 6.1.4 (b).
    fn map(&mut self, mappings: &[(Policy, Policy)], allowed: bool) {
        let from: BTreeSet<Policy> = mappings.iter().map(|(from, _)| *from).collect();
        if !allowed {
            return self.prune(|node| from.contains(&node.valid));
        }
        let Some(levels) = &mut self.0 else { return };
        let last = levels.last_mut().unwrap();
        for from in from {
            let to: BTreeSet<Policy> = mappings.iter().filter(|pair| pair.0 == from).map(|pair| pair.1).collect();
            if last.iter().any(|node| node.valid == from) {
                last.iter_mut().filter(|node| node.valid == from).for_each(|node| node.expected = to.clone());
            } else if let Some(any) = last.iter().find(|node| node.valid == ANY).map(|node| node.parent) {
                last.push(Node { valid: from, expected: to, parent: any, children: false });
            }
        }
    }

    /// 6.1.5 (g): whether something is left of it.
    fn meets(mut self, acceptable: &[Policy]) -> bool {
        let Some(levels) = &self.0 else { return false };
        if acceptable.is_empty() || acceptable.contains(&ANY) {
            return true;
        }
        let last = levels.len() - 1;
        if levels[last].iter().any(|node| node.valid == ANY) {
            return true;
        }
        // (iii): of the nodes whose parent is anyPolicy those go that are not asked for, and all below them.
        let mut doomed: Vec<Vec<bool>> = vec![vec![false; levels[0].len()]];
        for depth in 1..=last {
            let of = |node: &Node| {
                let parent_is_any = levels[depth - 1][node.parent].valid == ANY;
                let unwanted = parent_is_any && node.valid != ANY && !acceptable.contains(&node.valid);
                unwanted || doomed[depth - 1][node.parent]
            };
            let next = levels[depth].iter().map(of).collect();
            doomed.push(next);
        }
        let mut fate = doomed[last].clone().into_iter();
        self.prune(|_| fate.next().unwrap());
        self.0.is_some()
    }
}

/// RFC 5280 6.1, as far as it is about policies.
fn holds(path: &[Said], asked: Asked) -> bool {
    let n = path.len();
    let start = |now: bool| if now { 0 } else { n + 1 };
    let (mut explicit, mut mapping, mut any) = (start(asked.explicit), start(asked.no_mapping), start(asked.no_any));
    let mut tree = Tree::new();
    for (i, said) in path.iter().enumerate() {
        let last = i + 1 == n;
        tree.certificate(said, any > 0 || (!last && said.self_issued));
        if explicit == 0 && tree.0.is_none() {
            return false;
        }
        if last {
            break;
        }
        if said.mappings.iter().any(|(from, to)| *from == ANY || *to == ANY) {
            return false;
        }
        if !said.mappings.is_empty() {
            tree.map(&said.mappings, mapping > 0);
        }
        if !said.self_issued {
            [&mut explicit, &mut mapping, &mut any]
                .into_iter()
                .for_each(|counter| *counter = counter.saturating_sub(1));
        }
        for (counter, limit) in
            [(&mut explicit, said.explicit), (&mut mapping, said.no_mapping), (&mut any, said.no_any)]
        {
            *counter = limit.map_or(*counter, |limit| usize::from(limit).min(*counter));
        }
    }
    // 6.1.5 (a), (b): of a last certificate that is self-issued too.
    explicit = explicit.saturating_sub(1);
    if path[n - 1].explicit == Some(0) {
        explicit = 0;
    }
    let met = tree.meets(asked.acceptable);
    explicit > 0 || met
}

fn write(said: &Said, draft: &mut Draft) {
    if let Some(list) = &said.policies {
        let all: Vec<u8> = list.iter().flat_map(|policy| seq(&[&oid(content(*policy))])).collect();
        draft.set(POLICIES, false, tlv(0x30, &all));
    }
    if !said.mappings.is_empty() {
        let pair = |(from, to): &(Policy, Policy)| seq(&[&oid(content(*from)), &oid(content(*to))]);
        draft.set(MAPPINGS, true, tlv(0x30, &said.mappings.iter().flat_map(pair).collect::<Vec<u8>>()));
    }
    let number = |tag, value: Option<u8>| value.map(|value| tlv(tag, &[value])).unwrap_or_default();
    if said.explicit.is_some() || said.no_mapping.is_some() {
        draft.set(POLICY_CONSTRAINTS, true, seq(&[&number(0x80, said.explicit), &number(0x81, said.no_mapping)]));
    }
    if said.no_any.is_some() {
        draft.set(INHIBIT_ANY, true, number(2, said.no_any));
    }
}

/// What the library says of a path below a root that says nothing.
fn verdict(path: &[Said], asked: Asked) -> bool {
    let root = authority("root", None, |_| ());
    let mut made = vec![root];
    for (i, said) in path.iter().enumerate() {
        let by = made.last().unwrap();
        let named = if said.self_issued { by.subject.clone() } else { name(&format!("level {i}")) };
        let write = |draft: &mut Draft| {
            draft.subject = named;
            write(said, draft);
        };
        let next = if i + 1 == path.len() { server(by, write) } else { authority("", Some(by), write) };
        made.push(next);
    }
    let presented: Vec<&Made> = made.iter().skip(1).rev().collect();
    let acceptable: Vec<&[u8]> = asked.acceptable.iter().map(|policy| content(*policy)).collect();
    let mut options: Options<'_> = options(Profile::Rfc5280);
    options.policies = PolicyInputs {
        acceptable: &acceptable,
        require_explicit: asked.explicit,
        inhibit_mapping: asked.no_mapping,
        inhibit_any: asked.no_any,
    };
    match verify(&chain(&presented), &store(&[&made[0]]), &options) {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!(refused.reason(), Reason::Policy, "{path:?} {asked:?}: {refused}");
            false
        }
    }
}

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u8) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u8::try_from((self.0 >> 33) % u64::from(n)).unwrap()
    }

    fn one_in(&mut self, n: u8) -> bool {
        self.below(n) == 0
    }

    fn some(&mut self, one_in: u8) -> Option<u8> {
        self.one_in(one_in).then(|| self.below(3))
    }

    fn said(&mut self, last: bool) -> Said {
        let mut policies: Vec<Policy> = (0..4).filter(|_| self.one_in(2)).collect();
        // anyPolicy in most that are no leaf, or little is left to look at.
        if !last && self.one_in(2) && !policies.contains(&ANY) {
            policies.push(ANY);
        }
        let pairs = if last || self.one_in(2) { 0 } else { self.below(4) };
        let policy = |dice: &mut Self| if dice.one_in(40) { ANY } else { 1 + dice.below(3) };
        let mappings = (0..pairs).map(|_| (policy(self), policy(self))).collect();
        Said {
            policies: (!policies.is_empty() && !self.one_in(12)).then_some(policies),
            mappings,
            explicit: self.some(6),
            no_mapping: if last { None } else { self.some(8) },
            no_any: if last { None } else { self.some(6) },
            self_issued: self.one_in(6),
        }
    }
}

#[test]
fn every_path_is_judged_as_by_the_tree_of_the_rfc() {
    let acceptable: [&'static [Policy]; 6] = [&[], &[1], &[2], &[1, 2], &[3, ANY], &[3]];
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut counts = [0u32; 2];
    for _ in 0..3000 {
        let length = 1 + dice.below(4);
        let path: Vec<Said> = (1..=length).map(|i| dice.said(i == length)).collect();
        let asked = Asked {
            acceptable: acceptable[usize::from(dice.below(6))],
            explicit: dice.one_in(2),
            no_mapping: dice.one_in(6),
            no_any: dice.one_in(6),
        };
        let wanted = holds(&path, asked);
        counts[usize::from(wanted)] += 1;
        assert_eq!(verdict(&path, asked), wanted, "{path:#?} {asked:?}");
    }
    assert!(counts.iter().all(|count| *count > 800), "both verdicts are met: {counts:?}");
}
