package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.exact.TokenSampler;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.nativecuda.cpu.CpuTransformerModel;
import io.tiercel.nativecuda.cpu.KernelSet;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.agrona.collections.IntArrayList;

/**
 * Tokens made with drafts against tokens made one by one: the same ones, and a session of the same bits, whatever is
 * guessed, greedy or drawn, on random models of odd sizes, by the reference and by every kernel set.
 */
class TokenMakerProperties {

    private static final int TOKENS = 40;

    /** A backend of one kernel set. */
    private record KernelSetBackend(KernelSet kernels) implements Backend {
        @Override
        public String name() {
            return kernels.name();
        }

        @Override
        public int preference() {
            return 1;
        }

        @Override
        public BackendProbe probe() {
            return new CpuBackend().probe();
        }

        @Override
        public boolean supports(final Bundle bundle) {
            return true;
        }

        @Override
        public Model load(final Bundle bundle, final int threads) {
            return new CpuTransformerModel(TransformerParameters.read(bundle), kernels);
        }
    }

    /** A draft that says anything. */
    private static final class RandomDraft implements Draft {

        private final SplittableRandom random;
        private final int vocabularySize;

        private RandomDraft(final SplittableRandom random, final int vocabularySize) {
            this.random = random;
            this.vocabularySize = vocabularySize;
        }

        @Override
        public void add(final int token) {
            // It does not listen.
        }

        @Override
        public int guess(final int[] draft, final int from, final int limit, final long counter) {
            for (int index = 0; index < limit; index++) {
                draft[from + index] = random.nextInt(vocabularySize);
            }
            return limit;
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }

    private record Made(List<Integer> tokens, long hash, byte[] state) {
    }

    @Provide
    Arbitrary<Backend> backends() {
        final List<Backend> backends = new ArrayList<>(List.of(new ReferenceBackend()));
        if (new CpuBackend().probe().available()) {
            KernelSet.available().forEach(kernels -> backends.add(new KernelSetBackend(kernels)));
        }
        return Arbitraries.of(backends);
    }

    @Property(tries = 60, edgeCases = EdgeCasesMode.NONE)
    void shouldMakeTheSameTokensAndBitsWithAnyDraft(
            @ForAll final long seed, @ForAll("backends") final Backend backend) {
        final TransformerSetting setting = TransformerSetting.randomOfTokens(seed);
        final SplittableRandom random = new SplittableRandom(seed);
        final Bundle bundle = setting.bundle();
        final int vocabularySize = setting.vocabulary();
        final Sampling sampling = new Sampling(
                random.nextInt(4) == 0 ? 0 : (float) random.nextDouble(0.2, 3),
                random.nextBoolean() ? 0 : 1 + random.nextInt(vocabularySize), random.nextLong());
        final int[] text = random.ints(1 + random.nextInt(10), 0, vocabularySize).toArray();
        final int end = random.nextInt(2 * vocabularySize);
        final int draftCount = 1 + random.nextInt(TokenExecutor.MAX_DRAFT - 1);
        final Made plain = plain(bundle, sampling, text, end);
        final List<Draft> drafts = List.of(
                new NgramDraft(),
                new RandomDraft(random, vocabularySize),
                new ModelDraft(bundle, backend, vocabularySize, sampling),
                new ModelDraft(other(setting).bundle(), backend, vocabularySize, sampling));
        for (final Draft draft : drafts) {
            try (draft; TransformerSession session = new TransformerSession(bundle, backend)) {
                session.steps(text);
                final TokenMaker maker = new TokenMaker(session, sampling, draft, draftCount);
                final IntArrayList made = new IntArrayList();
                maker.goOn(text, TOKENS, token -> token == end, made::addInt);
                final String what = setting + " " + sampling + " " + draft.getClass().getSimpleName() + draftCount;
                assertEquals(plain.tokens, made, what);
                assertEquals(plain.hash, session.hash(), what);
                assertArrayEquals(plain.state, session.state(), what);
                assertEquals(made.size(), maker.passCount() + maker.rightCount(), what);
                if (draft == drafts.get(2) && end >= vocabularySize) {
                    final int most = (TOKENS + draftCount) / (1 + draftCount);
                    assertTrue(maker.passCount() <= most, what + " passes=" + maker.passCount());
                }
            }
        }
    }

    /** By the reference, one after the other. */
    private static Made plain(final Bundle bundle, final Sampling sampling, final int[] text, final int end) {
        try (TransformerSession session = new TransformerSession(bundle, new ReferenceBackend())) {
            final TokenSampler sampler = new TokenSampler(session.vocabularySize());
            final List<Integer> tokens = new ArrayList<>();
            float[] logits = null;
            for (final int token : text) {
                logits = session.step(token);
            }
            int next = sampling.draw(sampler, logits, 0);
            while (tokens.size() < TOKENS && next != end) {
                tokens.add(next);
                next = sampling.draw(sampler, session.step(next), tokens.size());
            }
            return new Made(tokens, session.hash(), session.state());
        }
    }

    /** Another model of the same vocabulary. */
    private static TransformerSetting other(final TransformerSetting setting) {
        return new TransformerSetting(
                setting.seed() + 1, 1, 16, 2, 1, 8, 20, setting.vocabulary(), 1, setting.outputs(), setting.task(), 20,
                4, 1, 0, 0, false, setting.weights(), setting.head(), 8, setting.keys(), setting.values(), false, 8);
    }
}
