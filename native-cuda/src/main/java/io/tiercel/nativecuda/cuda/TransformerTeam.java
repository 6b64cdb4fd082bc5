package io.tiercel.nativecuda.cuda;

/**
 * Who makes a transformer's step by a kernel that stays.
 *
 * @param blocks    that share it; of {@link #GRAPHS}, where none stays, 0.
 * @param isCluster whether the GPU puts them near to each other, and has a barrier for them.
 */
record TransformerTeam(int blocks, boolean isCluster) {

    static final TransformerTeam GRAPHS = new TransformerTeam(0, false);

    /** Wherever they are. */
    static TransformerTeam of(final int blocks) {
        return new TransformerTeam(blocks, false);
    }

    static TransformerTeam cluster(final int blocks) {
        return new TransformerTeam(blocks, true);
    }

    /** For people. */
    @Override
    public String toString() {
        return this.equals(GRAPHS)
                ? "graphs"
                : (isCluster ? "resident cluster, blocks=" : "resident, blocks=") + blocks;
    }
}
