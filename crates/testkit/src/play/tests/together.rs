//! Residents and hosts that are sound.

use super::*;
use crate::session::SessionServer;

#[test]
fn every_release_hears_and_is_heard() {
    for compression in [None, Some(256), Some(0)] {
        let host = Host::builder(1).pushes(BUSY).beat(Duration::from_millis(100));
        let host = compression.map_or(host.clone(), |threshold| host.compress(threshold)).start().unwrap();
        let releases = releases();
        let crowd = Crowd::of(releases.len(), 47).versions(&releases).join(host.address()).unwrap();
        crowd.until("have heard enough", PATIENCE * 2, |resident| {
            resident.is_at(1) && resident.heard_here >= 70 && resident.heard >= 70
        });
        crowd.everyone_types("/server island");
        for (index, &version) in releases.iter().enumerate() {
            let name = format!("p{index}");
            let stay = host.wait_for(&name, |stay| stay.heard >= 10 && !stay.typed.is_empty());
            assert_eq!(stay.version.number(), version);
            assert_eq!(
                (stay.host.as_str(), stay.typed.as_slice()),
                ("127.0.0.1", &["/server island".to_owned()][..])
            );
            assert_eq!(
                (stay.locale.as_deref(), stay.brand.as_deref()),
                (Some("en_us"), Some("vanilla")),
                "{version}"
            );
            assert!(stay.said >= 70 && stay.spot == Spot { server: 1, visit: 1 });
        }
        crowd.everyone_types("hello");
        for index in 0..releases.len() {
            let typed = |stay: &Stay| stay.typed.len() == 2;
            assert_eq!(host.wait_for(&format!("p{index}"), typed).typed[1], "hello");
        }
        sound(&host, &crowd);
        crowd.everyone_leaves();
        assert!(crate::eventually(PATIENCE, || (host.playing() == 0).then_some(())).is_some());
        sound(&host, &crowd);
        assert!(crowd.gone().iter().all(|(_, why)| why == "left"));
    }
}

#[test]
fn clients_are_configured_anew_again_and_again_under_traffic() {
    let host = Host::builder(3).compress(64).pushes(BUSY).start().unwrap();
    let versions = [764, 766, 767, 768, 775];
    let crowd = Crowd::of(20, 764).versions(&versions).join(host.address()).unwrap();
    for time in 1..=10 {
        crowd.all_arrived(time, PATIENCE);
        crowd.until("have heard of this visit", PATIENCE, |resident| {
            resident.heard_here >= 3 && resident.place == Place::At(Spot { server: 3, visit: time as u16 })
        });
        assert_eq!(host.order_all(&Order::Again), 20);
    }
    crowd.all_arrived(11, PATIENCE);
    sound(&host, &crowd);
    assert_eq!((crowd.took(Passage::Join).len(), crowd.took(Passage::Switch).len()), (20, 200));
    assert!(crowd.took(Passage::Switch).iter().all(|took| *took < PATIENCE));
    assert_eq!(host.stays().len(), 20);
    assert_eq!(crowd.gone(), []);
}

#[test]
fn a_transfer_is_followed_with_the_jar() {
    let (hub, island) =
        (Host::builder(1).start().unwrap(), Host::builder(2).takes_transfers().start().unwrap());
    let crowd = Crowd::of(2, 766).versions(&[766, 775]).join(hub.address()).unwrap();
    crowd.all_at(&hub, PATIENCE);
    let (key, payload) = ("drawbridge:flavour".to_owned(), b"sweet".to_vec());
    assert_eq!(hub.order_all(&Order::StoreCookie { key: key.clone(), payload: payload.clone() }), 2);
    crowd.until("keep it", PATIENCE, |resident| resident.jar.get(&key) == Some(&payload));
    let to = |host: &Host| Order::Transfer { host: "127.0.0.1".to_owned(), port: host.address().port() };
    assert_eq!(hub.order_all(&to(&island)), 2);
    crowd.all_at(&island, PATIENCE);
    assert_eq!(island.order_all(&Order::AskCookie(key.clone())), 2);
    assert_eq!(island.order_all(&Order::AskCookie("drawbridge:none".to_owned())), 2);
    for name in ["p0", "p1"] {
        let stay = island.wait_for(name, |stay| stay.cookies.len() == 2);
        let expected = [(key.clone(), Some(payload.clone())), ("drawbridge:none".to_owned(), None)];
        assert_eq!(stay.cookies, expected);
    }
    for resident in crowd.residents() {
        let ways: Vec<_> = resident.arrivals.iter().map(|arrival| arrival.by).collect();
        assert_eq!((ways, resident.connections), (vec![Passage::Join, Passage::Transfer], 2));
    }
    // As vanilla, a server that doesn't expect them turns them away.
    assert_eq!(island.order_all(&to(&hub)), 2);
    crowd.until("are turned away", PATIENCE, |resident| {
        resident.place == Place::Gone("transfers aren't accepted".to_owned())
    });
    sound(&hub, &crowd);
    sound(&island, &crowd);
}

#[test]
fn kicks_and_cuts_are_told_apart() {
    let host = Host::builder(1).start().unwrap();
    let crowd = Crowd::of(KINDS.len(), 47).versions(&KINDS).join(host.address()).unwrap();
    crowd.all_at(&host, PATIENCE);
    assert!(host.order("p0", Order::Cut));
    crowd.until("stay", PATIENCE, |resident| {
        resident.name != "p0" || matches!(&resident.place, Place::Gone(why) if why != "Full")
    });
    assert_eq!(host.order_all(&Order::Kick("Full".to_owned())), KINDS.len() - 1);
    crowd.until("are gone", PATIENCE, |resident| matches!(resident.place, Place::Gone(_)));
    let words: Vec<_> = crowd.gone().into_iter().skip(1).map(|(_, why)| why).collect();
    assert_eq!(words, vec!["Full"; KINDS.len() - 1]);
    assert!(!host.order("p1", Order::Cut) || host.stay("p1").unwrap().stage != Stage::Over);
    sound(&host, &crowd);
}

#[test]
fn a_host_that_stops_comes_back_on_its_port() {
    let host = Host::builder(1).pushes(BUSY).start().unwrap();
    for visit in 1..=2 {
        let crowd = Crowd::join(5, 767, host.address()).unwrap();
        crowd.all_at(&host, PATIENCE);
        assert!(crowd.spots().iter().all(|spot| spot.visit == visit), "visits are counted on");
        host.stop();
        crowd.until("are gone", PATIENCE, |resident| matches!(resident.place, Place::Gone(_)));
        assert!(host.stays().iter().all(|stay| stay.stage == Stage::Over));
        assert!(std::net::TcpStream::connect(host.address()).is_err());
        host.resume().unwrap();
        sound(&host, &crowd);
    }
}

#[test]
fn a_client_tells_the_session_server_and_goes_on_encrypted() {
    let session = SessionServer::start().unwrap();
    let server = super::host::encrypting(&session);
    let crowd = Crowd::of(3, 767).versions(&[47, 759, 775]).online(&session).join(server).unwrap();
    crowd.until("are greeted", PATIENCE, |resident| resident.place == Place::Gone("seen".to_owned()));
    assert_eq!((session.joins(), session.asked()), (3, 3));
    assert_eq!(crowd.faults(), []);
}

#[test]
fn a_tour_types_in_turn_and_once_in_each_visit() {
    let host = Host::builder(1).pushes(Traffic { small: 100, chunks: 0 }).start().unwrap();
    let crowd = Crowd::join(4, 775, host.address()).unwrap();
    crowd.everyone_tours(&["/server island", "/server hub"], 3, 5);
    for time in 1..=4 {
        crowd.all_arrived(time, PATIENCE);
        for name in ["p0", "p1", "p2", "p3"] {
            let said = |stay: &Stay| stay.typed.len() == time.min(3) && stay.heard > 0;
            assert!(host.wait_for(name, said).said >= 5);
        }
        crowd.until("hear on", PATIENCE, |resident| resident.heard_here >= 20);
        assert_eq!(host.order_all(&Order::Again), 4);
    }
    crowd.all_arrived(5, PATIENCE);
    let typed = ["/server island", "/server hub", "/server island"];
    assert!(host.stays().iter().all(|stay| stay.typed == typed), "{:#?}", host.stays());
    sound(&host, &crowd);
}
