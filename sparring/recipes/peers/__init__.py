"""Weights that other projects have published, as models of Sparring's recipes: one file for each layout."""

from sparring.recipes.peers import dcgan, hifigan, lightweight, pix2pix, resnet, stylegan2
from sparring.recipes.peers.layout import Converted, Peer, State

PEERS = {
    peer.name: peer for peer in (pix2pix.PEER, resnet.PEER, hifigan.PEER, stylegan2.PEER, lightweight.PEER, dcgan.PEER)
}

__all__ = ["PEERS", "Converted", "Peer", "State"]
