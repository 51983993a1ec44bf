//! Reads a file as a load does.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use etl::dataset::Dataset;
use etl::extract;
use etl::store::Store;
use tokio::runtime::Runtime;

/// An archive may unpack to much more than its size. The rest is not different.
const MOST: u64 = 16 << 20;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

pub(crate) fn read(name: &str, file: &[u8]) {
    let store = Store::in_memory();
    let source = RUNTIME.block_on(async {
        store.put(&name.into(), file.to_vec()).await.expect("memory");
        extract::find(&store, Dataset::Cases).await
    });
    let Ok(source) = source else { return };
    let read = extract::with_text(&store, &source, RUNTIME.handle(), &Arc::default(), |text| {
        let mut blocks = text.take(MOST);
        // An error is fine.
        drop(std::io::copy(&mut blocks, &mut std::io::sink()));
        Ok(())
    });
    if let Err(failure) = read {
        let text = failure.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
    }
}
