//! Being a member of groups.

use std::rc::Rc;

use bytes::Bytes;

use super::{Link, Phase};
use crate::common;
use crate::group::{Gathering, Membership};

impl Link {
    /// Sends first what its groups have for it already, so that everything leaves in the order in which it was sent.
    #[inline]
    pub(crate) fn catch_up(self: &Rc<Self>) {
        if self.grouped.get() {
            self.catch_up_groups();
        }
    }

    #[cold]
    fn catch_up_groups(self: &Rc<Self>) {
        let mut at = 0;
        loop {
            let pending = self.with_rare_if_any(|rare| {
                let membership = rare?.memberships.get(at)?;
                Some(membership.pending())
            });
            let Some(pending) = pending else {
                return;
            };
            if let Some(frames) = pending {
                self.send_behind(&frames);
            }
            at += 1;
        }
    }

    /// Takes frames into the queue, as far as limits allow, or into the cork.
    pub(crate) fn send_behind(self: &Rc<Self>, frames: &Bytes) {
        if self.phase.get() != Phase::Open {
            // Nothing follows a close frame.
            return;
        }
        if self.has_outbox() {
            return self.queue_shared(frames);
        }
        let kind = self.message_kind();
        common::with(|common| {
            self.send_first(common, kind, |out| out.extend_from_slice(frames));
        });
    }

    pub(crate) fn is_member(&self, of: &Rc<Gathering>) -> bool {
        self.with_rare_if_any(|rare| {
            let mut memberships = rare.iter().flat_map(|rare| &rare.memberships);
            memberships.any(|membership| membership.is_of(of))
        })
    }

    pub(crate) fn add_membership(&self, membership: Membership) {
        self.grouped.set(true);
        self.with_rare(|rare| rare.memberships.push(membership));
    }

    pub(crate) fn take_membership(&self, of: &Rc<Gathering>) -> Option<Membership> {
        self.with_rare_if_any(|rare| {
            let memberships = &mut rare?.memberships;
            let at = memberships
                .iter()
                .position(|membership| membership.is_of(of))?;
            let membership = memberships.swap_remove(at);
            self.grouped.set(!memberships.is_empty());
            Some(membership)
        })
    }
}
