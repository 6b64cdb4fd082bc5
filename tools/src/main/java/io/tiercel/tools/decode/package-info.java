/**
 * {@code bench decode}: a language model's greedy decoding, one text at a time, by the engine beside llama.cpp, which
 * is called from Java by java-llama.cpp; and single steps of networks with random weights.
 *
 * <p>Read {@code DecodeBenchCommand}, {@code DecodeContenders}, {@code DecodeBench}; of ours,
 * {@code EngineContender}; of the peer, {@code LlamaCppPeer}.
 */
package io.tiercel.tools.decode;
