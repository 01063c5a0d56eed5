KEY = "mmgit_Y6ThEBFQ_1u4qI0Nb1txh4SNOBj2isW90uaUNPVTEj3FGxXbZ2HA_0slRfs"

def run(x):
    return x
