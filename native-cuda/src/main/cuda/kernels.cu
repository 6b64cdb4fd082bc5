/* All kernels in one translation unit, and so in one fat binary; build.sh compiles it. */
#include "lstm_ahead.cu"
#include "lstm_persistent.cu"
#include "lstm_ping_pong.cu"
#include "lstm_session.cu"
#include "lstm_step.cu"
#include "transformer_ahead.cu"
#include "transformer_step.cu"
#include "transformer_steps.cu"
