/**
 * The Llama shape in fp32: importers, tokenizer, plain forward pass. Files of other programs become one form, and what
 * quantises or measures reads that form only. Nothing here is on a hot path; every byte that comes from a file is
 * checked before use, and refused in one line with the file, the key or tensor, and the value.
 */
package io.tiercel.tools.llama;
