//! Loops over numbers, compiled once more for the vectors that most processors have and the build may not ask for.

/// A loop that its compiler turns into vectors.
pub(crate) trait Vectorised {
    /// Marked `#[inline(always)]`, so that it is compiled for whatever calls it.
    fn run(self);
}

/// Runs it with AVX2 where this processor has that, and else with what the build is for.
pub(crate) fn with_widest_vectors(work: impl Vectorised) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: this processor has AVX2, which is all that the function asks for.
        unsafe { with_avx2(work) };
        return;
    }
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(work: impl Vectorised) {
    work.run();
}
