package io.tiercel.nativecuda.cuda;

import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** A test of kernels over the emulation, as {@code emulated_main.h} says it is called, built with some flags. */
final class EmulatedProgram {

    private final NativeTools tools;
    private final String name;

    /** The thread sanitizer is told of fibers by the emulation, and must not look at how that is done. */
    EmulatedProgram(final NativeTools tools, final String name, final String... flags)
            throws IOException, InterruptedException {
        this.tools = tools;
        this.name = name;
        final boolean isForThreads = List.of(flags).contains("-fsanitize=thread");
        final List<String> common = new ArrayList<>(List.of("g++", "-std=c++17", "-ffp-contract=off", "-Wall",
                "-Wextra", "-Werror", "-I", NativeTools.CPP.toString(), "-I", NativeTools.CUDA.toString(),
                "-I", NativeTools.TEST_CPP.toString()));
        final List<String> emulation = new ArrayList<>(common);
        emulation.addAll(isForThreads ? List.of("-O1", "-g1", "-DEMULATION_TSAN") : List.of(flags));
        emulation.addAll(List.of("-c", NativeTools.TEST_CPP.resolve("emulation.cpp").toString(),
                "-o", tools.path("emulation.o").toString()));
        tools.assertSucceeds(emulation);
        final List<String> program = new ArrayList<>(common);
        program.addAll(List.of(flags));
        program.addAll(List.of(NativeTools.TEST_CUDA.resolve(name + ".cpp").toString(),
                tools.path("emulation.o").toString(), "-o", tools.path(name).toString()));
        tools.assertSucceeds(program);
    }

    /** @param files the golden files, each by its number; returns what was printed. */
    String assertSucceeds(final int seeds, final String option, final int fileCount, final IntFunction<Path> files)
            throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>(List.of(tools.path(name).toString()));
        if (!option.isEmpty()) {
            command.add(option);
        }
        command.add(Integer.toString(seeds));
        for (int i = 0; i < fileCount; i++) {
            command.add(files.apply(i).toString());
        }
        return tools.assertSucceeds(command);
    }

    /** A golden file's place. */
    Path golden(final int number) {
        return tools.path("golden-" + number);
    }
}
