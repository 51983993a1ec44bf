//! Waits for the host keys on the console of an instance, which its first boot prints some minutes after it accepts connections.

use std::time::Duration;

use tokio::time::Instant;

use crate::bastion::{Bastion, Discovery};
use crate::console_keys::ConsoleKeys;
use crate::event::{Event, EventSink};

/// Limits the wait.
const CONSOLE_TIMEOUT: Duration = Duration::from_mins(5);

const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the console, and waits for it if the instance is still starting. Empty if it cannot be read, which is reported.
pub(crate) async fn host_keys(
    discovery: &dyn Discovery,
    bastion: &Bastion,
    events: &EventSink,
) -> ConsoleKeys {
    let start = Instant::now();
    loop {
        let keys = match discovery.host_keys(bastion).await {
            Ok(keys) => keys,
            Err(failure) => {
                events(Event::ConsoleUnavailable { why: failure.to_string() });
                return ConsoleKeys::default();
            }
        };
        let waited = start.elapsed();
        if !keys.is_empty() || !keys.is_starting || waited >= CONSOLE_TIMEOUT {
            return keys;
        }
        events(Event::WaitingForConsole {
            identity: bastion.identity(),
            seconds: waited.as_secs(),
            at_most: CONSOLE_TIMEOUT.as_secs(),
        });
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

#[cfg(all(test, not(shuttle)))]
#[expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use common::failure::Result;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    /// An instance that is `young` for so many readings and prints its key after `silent` of them.
    struct Instance {
        readings: Mutex<usize>,
        silent: usize,
        young: usize,
    }

    #[async_trait]
    impl Discovery for Instance {
        async fn find(&self) -> Result<Bastion> {
            "a@b".parse().map_err(common::failure::Failure::new)
        }

        async fn host_keys(&self, _: &Bastion) -> Result<ConsoleKeys> {
            let mut readings = self.readings.lock().unwrap();
            *readings += 1;
            let keys = if *readings > self.silent { vec![KEY.to_owned()] } else { Vec::new() };
            Ok(ConsoleKeys { keys, is_starting: *readings <= self.young, ..ConsoleKeys::default() })
        }
    }

    async fn read(silent: usize, young: usize) -> (ConsoleKeys, Duration, usize) {
        let instance = Instance { readings: Mutex::new(0), silent, young };
        let waits = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&waits);
        let events: EventSink = Arc::new(move |_| *counter.lock().unwrap() += 1);
        let start = Instant::now();
        let keys = host_keys(&instance, &instance.find().await.unwrap(), &events).await;
        let waits = *waits.lock().unwrap();
        (keys, start.elapsed(), waits)
    }

    #[tokio::test(start_paused = true)]
    async fn young_instance_is_waited_for_and_old_one_is_not() {
        let (keys, waited, events) = read(3, 100).await;
        assert_eq!((keys.is_empty(), waited.as_secs(), events), (false, 15, 3));
        let (keys, waited, _) = read(100, 0).await;
        assert_eq!((keys.is_empty(), waited), (true, Duration::ZERO));
        let (keys, waited, _) = read(1000, 1000).await;
        assert_eq!((keys.is_empty(), waited), (true, CONSOLE_TIMEOUT));
    }
}
