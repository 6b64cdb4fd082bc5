/** Commands that ask a journal in SQL: {@code replay query}, {@code replay export}. They only read it. */
package io.tiercel.tools.replay;
