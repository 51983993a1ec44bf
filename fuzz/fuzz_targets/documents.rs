//! Stored documents that others may have written: reports, the pointer to the latest one, and run records.

#![no_main]

use std::sync::LazyLock;

use etl::record::Record;
use etl::report::{Pointer, text_of};
use etl::store::Store;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fuzz_target!(|content: &[u8]| {
    if let Ok(document) = serde_json::from_slice(content) {
        for width in [20, 80] {
            let text = text_of(&document, width).unwrap_or_default();
            assert!(!text.contains(|at: char| at.is_control() && at != '\n' && at != '\t'), "{text:?}");
        }
    }
    RUNTIME.block_on(async {
        let store = Store::in_memory();
        for key in ["reports/latest.json", "runs/x.json"] {
            store.put(&key.into(), content.to_vec()).await.expect("memory");
        }
        if let Ok(Some(pointer)) = Pointer::read(&store).await {
            assert!(!pointer.folder.contains(['/', '.']), "{pointer:?}");
        }
        drop(Record::at(&"runs/x.json".into(), &store).await);
    });
});
