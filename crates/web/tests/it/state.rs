//! What handlers share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_server::ConnectInfo;
use squall_web::testing::TestClient;
use squall_web::{Application, State};
use tracing::Level;

use crate::logs::Logs;
use crate::run;

#[derive(Default)]
struct Hits(Cell<u32>);

/// Neither `Clone` nor `Send`.
struct Names(Rc<RefCell<Vec<String>>>);

async fn hit(State(hits): State<Hits>, names: State<Names>) -> String {
    hits.0.set(hits.0.get() + 1);
    names.0.0.borrow_mut().push(format!("hit {}", hits.0.get()));
    squall_ioloop::sleep(std::time::Duration::from_secs(1)).await;
    names.0.0.borrow().join(", ")
}

#[test]
fn handlers_share_state_without_locks() {
    run(async {
        let names = Rc::new(RefCell::new(Vec::new()));
        let app = Application::new()
            .state(Hits::default())
            .get("/", hit)
            .state(Names(Rc::clone(&names)));
        assert_eq!(app.check(), Ok(()));
        let client = TestClient::new(app);
        assert_eq!(client.get("/").await.text(), "hit 1");
        assert_eq!(client.get("/").await.text(), "hit 1, hit 2");
        assert_eq!(names.borrow().len(), 2);
    });
}

#[test]
fn state_that_was_shared_before() {
    async fn value(state: State<Cell<u8>>) -> String {
        state.replace(9).to_string()
    }
    run(async {
        let shared = Rc::new(Cell::new(7_u8));
        let app = Application::new().shared_state(Rc::clone(&shared));
        let client = TestClient::new(app.get("/", value));
        assert_eq!(client.get("/").await.text(), "7");
        assert_eq!(shared.get(), 9);
    });
}

#[test]
fn missing_state_names_its_type_in_the_log_alone() {
    run(async {
        let logs = Logs::capture();
        let client = TestClient::new(Application::new().get("/hits", hit));
        let response = client.get("/hits").await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.text(), "500 Internal Server Error\n");
        let lines = logs.take(Level::ERROR);
        let cause = "the application has no state of type `it::state::Hits`";
        assert_eq!(
            lines,
            [format!("GET /hits: 500 Internal Server Error: {cause}")]
        );
    });
}

#[test]
fn without_a_connection_there_is_no_connect_info() {
    async fn peer(info: ConnectInfo) -> String {
        format!("{info:?}")
    }
    run(async {
        let logs = Logs::capture();
        let client = TestClient::new(Application::new().get("/", peer));
        assert_eq!(client.get("/").await.status(), 500);
        let lines = logs.take(Level::ERROR);
        assert!(
            lines[0].ends_with("the request carries no `ConnectInfo`"),
            "{lines:?}"
        );
    });
}

#[test]
fn a_test_says_who_the_peer_is() {
    async fn peer(info: ConnectInfo) -> String {
        info.peer.to_string()
    }
    run(async {
        let client = TestClient::new(Application::new().get("/", peer));
        let here = std::net::SocketAddr::from(([127, 0, 0, 1], 80));
        let there = std::net::SocketAddr::from(([192, 0, 2, 7], 4711));
        let request = client.get("/").extension(ConnectInfo::new(here, there));
        assert_eq!(request.await.text(), "192.0.2.7:4711");
    });
}
