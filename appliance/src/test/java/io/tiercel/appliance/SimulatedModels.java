package io.tiercel.appliance;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The models of all runs: of each one the version that is configured, and some that administrators may load. They are
 * there once, as the Java reference computes them; an appliance that loads one gets it under an index of its own.
 */
final class SimulatedModels implements AutoCloseable {

    static final int MODEL_COUNT = 3;
    /** Of each model; the versions of one are so many places from each other as there are models. */
    static final int VERSION_COUNT = 3;
    private static final int PATH_LENGTH = 160;

    private final List<Path> bundles;
    private final List<LoadedModel> versions;
    private final Path strangeBundle;
    private final byte[] strangeVersion;

    SimulatedModels(final Path directory) {
        bundles = List.of(
                RandomModels.lstm(1).hidden(8).features(4).outputs(3).write(directory),
                RandomModels.lstm(2).layers(2).hidden(4).features(3).outputs(2).write(directory),
                RandomTransformers.writeTokens(3, 10, directory),
                RandomModels.lstm(4).hidden(12).features(4).outputs(3).write(directory),
                RandomModels.lstm(5).hidden(8).features(3).outputs(2).write(directory),
                RandomTransformers.writeTokens(6, 12, directory),
                RandomModels.lstm(7).layers(2).hidden(4).features(4).outputs(3).write(directory),
                RandomModels.lstm(8).hidden(4).features(3).outputs(2).write(directory),
                RandomTransformers.writeTokens(9, 10, directory));
        strangeBundle = RandomModels.lstm(10).hidden(4).features(7).outputs(1).write(directory);
        strangeVersion = Bundle.open(strangeBundle).version();
        versions = new ArrayList<>(PipelineHarness.loadReferences(configuredBundles()));
        for (int index = MODEL_COUNT; index < bundles.size(); index++) {
            final Bundle bundle = Bundle.open(bundles.get(index));
            final LoadedModel first = versions.get(index % MODEL_COUNT);
            final LoadedModel loaded = LoadedModel.of(first.modelId(), first.alias(), bundle.version(),
                    first.backendName(), Backends.select(first.backendName(), bundle).load(bundle, 1));
            versions.add(withIndex(loaded, index));
        }
    }

    List<Path> configuredBundles() {
        return bundles.subList(0, MODEL_COUNT);
    }

    List<LoadedModel> configured() {
        return versions.subList(0, MODEL_COUNT);
    }

    /** All that there are, under their indices here, those that are configured first. */
    List<LoadedModel> versions() {
        return versions;
    }

    /** A bundle as a command names it. */
    String bundle(final int index) {
        return padded(bundles.get(index));
    }

    /** A bundle that no client of these models could ask. */
    String strangeBundle() {
        return padded(strangeBundle);
    }

    byte[] strangeVersion() {
        return strangeVersion;
    }

    /** The version of that model under another index; null if it is none of the model's. */
    LoadedModel load(final int modelId, final String versionHex, final int index) {
        for (final LoadedModel version : versions) {
            if (version.modelId() == modelId && version.versionHex().equals(versionHex)) {
                return withIndex(version, index);
            }
        }
        return null;
    }

    @Override
    public void close() {
        versions.forEach(LoadedModel::close);
    }

    private static LoadedModel withIndex(final LoadedModel version, final int index) {
        return new LoadedModel(index, version.modelId(), version.alias(), version.version(), version.backendName(),
                version.rationale(), version.model());
    }

    /** So that frames are as long in any directory: the same seed is to give the same run. */
    private static String padded(final Path path) {
        final String text = path.toString();
        return "/".repeat(Math.max(0, PATH_LENGTH - text.length())) + text;
    }
}
