/**
 * {@code bench decode}: a language model's greedy decoding, one text at a time, beside llama.cpp in the same run,
 * called from Java by java-llama.cpp.
 *
 * <p>Read {@code DecodeBenchCommand}, {@code DecodeContenders}, {@code DecodeBench}; of the peer, {@code LlamaCppPeer}.
 */
package io.tiercel.tools.decode;
