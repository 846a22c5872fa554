//! The scenarios: faults of brokers and connections. Each is written once, and runs on the targets where it makes
//! sense.

mod kafka;
mod served;

use std::time::Duration;

use headwater_fault_tests::chance::Chance;
use headwater_fault_tests::proxy::{CutAt, CutHow, Direction, Fault, Rule};
use headwater_protocol::ApiKey;

use crate::scene::Scene;

/// Kills a leader, and starts it again after the others have continued.
fn kill_leaders(scene: &mut Scene<'_>) {
    for _ in 0..2 {
        let leader = scene.any_leader();
        scene.brokers.kill(leader);
        if scene.brokers.are_replicated() {
            scene.progress(100);
        } else {
            let away = scene.chance.within(0..1_500);
            std::thread::sleep(Duration::from_millis(away));
        }
        scene.brokers.start(leader);
        scene.progress(100);
    }
}

/// Stops each broker in order and starts it again.
fn restart_each(scene: &mut Scene<'_>) {
    for number in scene.brokers.numbers() {
        scene.brokers.stop(number);
        scene.brokers.start(number);
        scene.progress(100);
    }
}

/// Adds partitions repeatedly.
fn add_partitions(scene: &mut Scene<'_>) {
    for _ in 0..3 {
        let more = scene.chance.within(1..4) as i32;
        scene.add_partitions(more);
        scene.progress(150);
    }
}

/// Deletes the topic and creates it again.
fn recreate_topic(scene: &mut Scene<'_>) {
    scene.recreate_topic();
    scene.progress(300);
}

/// Delays, stalls and cuts frames at all brokers, and holds one of them for a while.
fn disturb_connections(scene: &mut Scene<'_>) {
    for round in 0..4 {
        for proxy in &scene.brokers.proxies {
            proxy.set_rules(rules(&mut scene.chance));
        }
        scene.progress(100);
        let proxies = &scene.brokers.proxies;
        let proxy = &proxies[scene.chance.within(0..proxies.len() as u64) as usize];
        match round {
            0 => proxy.hold(Direction::Response),
            1 => proxy.hold(Direction::Request),
            2 => {
                proxy.hold(Direction::Request);
                proxy.hold(Direction::Response);
            }
            _ => proxy.cut_all(),
        }
        // Sometimes longer than a request timeout or a session timeout.
        let held = scene.chance.pick(&[200, 1_000, 2_500, 6_000]);
        std::thread::sleep(Duration::from_millis(held));
        proxy.release();
    }
    let disturbances = scene.brokers.disturbances();
    let cut = |name: &&&str| name.starts_with("cut");
    assert!(
        disturbances.keys().filter(cut).count() > 3,
        "{disturbances:?}"
    );
}

/// Some rules of every kind.
fn rules(chance: &mut Chance) -> Vec<Rule> {
    let millis = |range: std::ops::Range<u64>| {
        Duration::from_millis(range.start)..Duration::from_millis(range.end)
    };
    let at = [CutAt::Before, CutAt::Middle, CutAt::After];
    let how = [CutHow::Close, CutHow::Reset];
    let mut cut = |direction, apis: &[ApiKey], one_in| {
        let fault = Fault::Cut(chance.pick(&at), chance.pick(&how));
        Rule::new(direction, apis, one_in, fault)
    };
    let membership = [
        ApiKey::JoinGroup,
        ApiKey::SyncGroup,
        ApiKey::ConsumerGroupHeartbeat,
    ];
    vec![
        // The broker has written the records, but the producer did not get the response.
        Rule::new(
            Direction::Response,
            [ApiKey::Produce],
            40,
            Fault::Cut(CutAt::Before, CutHow::Reset),
        ),
        cut(Direction::Response, &[ApiKey::Produce], 60),
        cut(Direction::Request, &[ApiKey::Produce], 60),
        cut(Direction::Response, &[ApiKey::Fetch], 60),
        cut(Direction::Response, &[ApiKey::OffsetCommit], 30),
        cut(Direction::Request, &[ApiKey::OffsetCommit], 30),
        cut(Direction::Response, &membership, 10),
        cut(Direction::Request, &[], 300),
        Rule::new(Direction::Response, [], 100, Fault::Stall(millis(10..400))),
        Rule::new(Direction::Request, [], 100, Fault::Delay(millis(1..200))),
        Rule::new(Direction::Request, [ApiKey::Produce], 60, Fault::Repeat),
        Rule::new(Direction::Response, [], 200, Fault::Repeat),
    ]
}
