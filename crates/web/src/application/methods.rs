//! The handlers of one path, by method.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use http::Method;
use squall_server::Answer;

use super::check::Problem;
use super::guard::{Endpoint, HandlerEndpoint};
use crate::context::{Context, Label, Shared};
use crate::extract::Needs;
use crate::handler::Handler;

/// A handler, and what is known about it.
pub(super) struct Route {
    method: Method,
    label: Rc<Label>,
    endpoint: Box<dyn Endpoint>,
    needs: Needs,
    /// Where the route was added.
    place: &'static Location<'static>,
}

impl Route {
    pub(super) fn new<Args: 'static>(
        method: Method,
        label: Rc<Label>,
        handler: impl Handler<Args>,
        place: &'static Location<'static>,
    ) -> Self {
        let (endpoint, needs) = HandlerEndpoint::boxed(handler);
        Self {
            method,
            label,
            endpoint,
            needs,
            place,
        }
    }

    pub(super) fn label(&self) -> Rc<Label> {
        Rc::clone(&self.label)
    }

    pub(super) fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// Whether it answers HEAD, if it answers GET.
    fn has_head(&self) -> bool {
        !self.needs.no_head
    }

    pub(super) fn call(&self, cx: Context) -> Answer {
        self.endpoint.call(cx)
    }

    /// Adds what this route's handler asks for and cannot get.
    pub(super) fn check(&self, shared: &Shared, problems: &mut Vec<Problem>) {
        if self.needs.bodies.len() > 1 {
            problems.push(Problem::BodyTwice {
                route: self.describe(),
                arguments: self.needs.bodies.clone(),
            });
        }
        for (id, type_name) in &self.needs.states {
            if !shared.has_state(*id) {
                problems.push(Problem::StateMissing {
                    route: self.describe(),
                    type_name,
                });
            }
        }
    }

    fn describe(&self) -> String {
        describe(&self.method, self.label.text(), self.place)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// A route in the words of error messages: `GET /hello/{name} (src/main.rs:7:10)`.
pub(super) fn describe(method: &Method, path: &str, place: &Location<'_>) -> String {
    format!("{method} {path} ({place})")
}

/// Whether the method is one of RFC 9110 or RFC 5789, which every server knows.
pub(super) fn is_standard(method: &Method) -> bool {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ]
    .contains(method)
}

/// The routes that share a path; so few that a list is the fastest map.
#[derive(Debug, Default)]
pub(super) struct Methods {
    routes: Vec<Route>,
}

impl Methods {
    pub(super) fn add(&mut self, route: Route) -> Result<(), Problem> {
        if let Some(first) = self.exact(&route.method) {
            let (added, first) = (route.describe(), first.describe());
            return Err(Problem::Conflict { added, first });
        }
        self.routes.push(route);
        Ok(())
    }

    pub(super) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The route for a request's method; GET's also answers HEAD (RFC 9110 section 9.3.2), but for WebSockets.
    pub(super) fn of(&self, method: &Method) -> Option<&Route> {
        let found = self.exact(method);
        if found.is_none() && *method == Method::HEAD {
            return self.exact(&Method::GET).filter(|route| route.has_head());
        }
        found
    }

    /// The methods that this path answers, those that need no route included.
    pub(super) fn allowed(&self) -> Vec<Method> {
        let mut allowed: Vec<Method> = Vec::with_capacity(self.routes.len() + 2);
        for route in &self.routes {
            allowed.push(route.method.clone());
            let answers_head = route.method == Method::GET && route.has_head();
            if answers_head && self.exact(&Method::HEAD).is_none() {
                allowed.push(Method::HEAD);
            }
        }
        if self.exact(&Method::OPTIONS).is_none() {
            allowed.push(Method::OPTIONS);
        }
        allowed
    }

    fn exact(&self, method: &Method) -> Option<&Route> {
        self.routes.iter().find(|route| route.method == *method)
    }
}
