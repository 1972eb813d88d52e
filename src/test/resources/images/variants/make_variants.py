"""Makes variants of image files, far more than are stored here, and what Pillow decodes them to.

    python3 make_variants.py GOLDEN_IMAGES_PY PHOTO OUTPUT

GOLDEN_IMAGES_PY is golden/scripts/images.py of the shared fixtures (its pattern and PNG writer are used), PHOTO any photo
(files/jpeg_641x427.jpg), OUTPUT an empty folder; it gets files/ and rgb/<file>.npy. Needs Pillow 12.3 and numpy.
"""
import sys,os,struct,zlib,io,numpy as np
from PIL import Image,ImageDraw,ImageOps
SCRIPT,PHOTO,OUT=sys.argv[1:4]
D=OUT+"/files/"; R=OUT+"/rgb/"; LOG=OUT+"/refused.txt"
os.makedirs(D,exist_ok=True); os.makedirs(R,exist_ok=True)
SRC=Image.open(PHOTO).convert("RGB")
def photo(w,h): return SRC.resize((w,h),3)
src=open(SCRIPT).read()
ns={"np":np,"Image":Image,"ImageDraw":ImageDraw,"struct":struct,"zlib":zlib}
exec(src[src.index("def pattern"):src.index("def decode")],ns)
pattern,chunk,write_png=ns["pattern"],ns["chunk"],ns["write_png"]
f=lambda n:D+n
sizes=[(1,1),(2,2),(5,3),(16,16),(15,17),(33,31),(64,48),(101,67),(2,40),(40,2)]
for w,h in sizes:
    for q in (5,30,75,95,100):
        for s in (0,1,2):
            photo(w,h).save(f(f"j_{w}x{h}_q{q}_s{s}.jpg"),quality=q,subsampling=s)
    photo(w,h).save(f(f"jp_{w}x{h}.jpg"),quality=70,progressive=True); photo(w,h).save(f(f"jp_{w}x{h}_422.jpg"),quality=40,subsampling=1,progressive=True)
    photo(w,h).convert("L").save(f(f"jg_{w}x{h}.jpg"),quality=60); photo(w,h).convert("CMYK").save(f(f"jc_{w}x{h}.jpg"),quality=80,subsampling=2)
    photo(w,h).save(f(f"jr_{w}x{h}.jpg"),quality=80,restart_marker_blocks=2)
    for q in (1,10,50,75,90,100): photo(w,h).save(f(f"w_{w}x{h}_q{q}.webp"),quality=q)
    photo(w,h).save(f(f"w_{w}x{h}_m0.webp"),quality=60,method=0); photo(w,h).save(f(f"w_{w}x{h}_m6.webp"),quality=60,method=6)
    photo(w,h).save(f(f"wl_{w}x{h}.webp"),lossless=True); photo(w,h).quantize(8).convert("RGB").save(f(f"wl_{w}x{h}_p.webp"),lossless=True); 
    ra=photo(w,h); ra.putalpha(Image.linear_gradient("L").resize((w,h))); ra.save(f(f"wa_{w}x{h}.webp"),quality=70); ra.save(f(f"wla_{w}x{h}.webp"),lossless=True); ra.save(f(f"wlax_{w}x{h}.webp"),lossless=True,exact=True)
    pattern(w,h,3).save(f(f"wp_{w}x{h}.webp"),quality=85)
a=photo(101,67); na=np.asarray(a); g=np.asarray(a.convert("L")); al=Image.linear_gradient("L").resize(a.size); rgba=a.copy(); rgba.putalpha(al); la=a.convert("L"); la.putalpha(al)
# png
g16=(g.astype(np.uint32)*257+np.arange(g.size).reshape(g.shape)%97).clip(0,65535).astype(np.uint16)
for il in (0,1):
    write_png(f(f"png_la16_{il}.png"),np.stack([g16,np.asarray(al).astype(np.uint16)*255],-1),4,16,il)
    r16=(na.astype(np.uint32)*257+np.arange(na.size).reshape(na.shape)%211).clip(0,65535).astype(np.uint16)
    write_png(f(f"png_rgba16_{il}.png"),np.concatenate([r16,np.asarray(al).astype(np.uint16)[...,None]*200],-1),6,16,il)
    write_png(f(f"png_g16_{il}.png"),g16//100,0,16,il)
    for d in (1,2,4,8):
        write_png(f(f"png_g{d}_{il}.png"),g>>(8-d),0,d,il); 
        pl=np.random.default_rng(d).integers(0,256,(1<<d)*3,dtype=np.uint8).tobytes()
        write_png(f(f"png_p{d}_{il}.png"),g>>(8-d),3,d,il,chunk(b"PLTE",pl))
        write_png(f(f"png_p{d}_short_{il}.png"),g>>(8-d),3,d,il,chunk(b"PLTE",pl[:max(3,len(pl)//2//3*3)]))
        write_png(f(f"png_p{d}_trns_{il}.png"),g>>(8-d),3,d,il,chunk(b"PLTE",pl)+chunk(b"tRNS",b"\0\x80"))
        write_png(f(f"png_g{d}_trns_{il}.png"),g>>(8-d),0,d,il,chunk(b"tRNS",b"\0\1"))
for o in range(1,9):
    ex=Image.Exif(); ex[0x112]=o; a.save(f(f"png_exif{o}.png"),exif=ex); a.save(f(f"webp_exif{o}.webp"),exif=ex,lossless=True); a.save(f(f"tif_o{o}.tif"),tiffinfo={274:o},compression="tiff_lzw"); a.save(f(f"tifr_o{o}.tif"),tiffinfo={274:o})
    a.save(f(f"jx{o}.jpg"),xmp=b'<x tiff:Orientation="%d"/>'%o)
rgba.save(f("apng.png"),save_all=True,append_images=[pattern(101,67,2).convert("RGBA")],duration=10)
# gif
fr=[pattern(60,45,i).quantize(32) for i in range(3)]
for n in (2,3,5,17,100,256):
    a.quantize(n).save(f(f"gif_{n}.gif"))
def gif(w,h,fx,fy,fw,fh,gpal,lpal,trans,bg,lace=False,bits=2):
    # raw lzw: emit clear before every 2 pixels, code size bits+1
    import random
    px=[(x*3+y)%(1<<bits) for y in range(fh) for x in range(fw)]
    out=0;nb=0;by=bytearray();cs=bits+1;clear=1<<bits
    def put(c):
        nonlocal out,nb
        out|=c<<nb;nb+=cs
        while nb>=8: by.append(out&255);out>>=8;nb-=8
    for i,p in enumerate(px):
        if i%2==0: put(clear)
        put(p)
    put(clear+1)
    if nb: by.append(out&255)
    s=b"GIF89a"+struct.pack("<HHBBB",w,h,(0x80|(bits-1)) if gpal else 0,bg,0)+(gpal or b"")
    if trans is not None: s+=b"!\xf9\4"+bytes([1,0,0,trans,0])
    s+=b","+struct.pack("<HHHHB",fx,fy,fw,fh,((0x80|(bits-1)) if lpal else 0)|(0x40 if lace else 0))+(lpal or b"")+bytes([bits])
    for i in range(0,len(by),255): s+=bytes([len(by[i:i+255])])+by[i:i+255]
    return s+b"\0;"
P1=bytes([255,0,0,0,255,0,0,0,255,9,9,9]);P2=bytes([1,2,3,4,5,6,7,8,9,200,100,50]);PG=bytes([0,0,0,1,1,1,2,2,2,3,3,3])
k=0
for gp in (P1,None,PG):
  for lp in (None,P2,PG):
    for tr in (None,2):
      for geo in ((20,12,3,2,10,7),(20,12,0,0,20,12),(10,10,5,5,10,10)):
        for lace in (False,True):
          open(f(f"gifc_{k}.gif"),"wb").write(gif(*geo,gp,lp,tr,1,lace)); k+=1
# bmp
a.save(f("bmp.bmp")); 
for n in (2,4,16,200): a.quantize(n).save(f(f"bmp_p{n}.bmp"))
def bmp(w,h,bits,comp,pal,data,hs=40,masks=b"",colors=0,off=None):
    hd=struct.pack("<IiiHHIIiiII",hs,w,h,1,bits,comp,len(data),2835,2835,colors,0)
    if hs>40: hd=hd+masks+bytes(hs-40-len(masks)); masks=b""
    o=14+len(hd)+len(masks)+len(pal)
    return b"BM"+struct.pack("<IHHI",o+len(data),0,0,o if off is None else off)+hd+masks+pal+data
w,h=21,13;px=na[:h,:w]
def rows(r): return b"".join(x+b"\0"*(-len(x)%4) for x in r)
v555=((px[...,0].astype(int)>>3)<<10|(px[...,1].astype(int)>>3)<<5|px[...,2]>>3).astype("<u2"); v565=((px[...,0].astype(int)>>3)<<11|(px[...,1].astype(int)>>2)<<5|px[...,2]>>3).astype("<u2")
r16=lambda v: rows([v[y].tobytes() for y in range(h)])
open(f("bmp_555.bmp"),"wb").write(bmp(w,h,16,0,b"",r16(v555)))
open(f("bmp_555m.bmp"),"wb").write(bmp(w,h,16,3,b"",r16(v555),masks=struct.pack("<III",0x7c00,0x3e0,0x1f)))
open(f("bmp_565.bmp"),"wb").write(bmp(w,h,16,3,b"",r16(v565),masks=struct.pack("<III",0xf800,0x7e0,0x1f)))
open(f("bmp_565v4.bmp"),"wb").write(bmp(w,h,16,3,b"",r16(v565),hs=108,masks=struct.pack("<III",0xf800,0x7e0,0x1f)))
open(f("bmp_565td.bmp"),"wb").write(bmp(w,-h,16,3,b"",r16(v565),hs=124,masks=struct.pack("<III",0xf800,0x7e0,0x1f)))
v32=np.concatenate([px[...,::-1],np.full((h,w,1),77,np.uint8)],-1); d32=v32.tobytes()
open(f("bmp_32raw.bmp"),"wb").write(bmp(w,h,32,0,b"",d32)); 
for i,m in enumerate([(0xFF0000,0xFF00,0xFF,0),(0xFF000000,0xFF0000,0xFF00,0),(0xFF000000,0xFF00,0xFF,0),(0xFF000000,0xFF0000,0xFF00,0xFF),(0xFF,0xFF00,0xFF0000,0xFF000000),(0xFF0000,0xFF00,0xFF,0xFF000000),(0xFF000000,0xFF00,0xFF,0xFF0000),(0,0,0,0)]):
    open(f(f"bmp_32m{i}.bmp"),"wb").write(bmp(w,h,32,3,b"",d32,hs=108,masks=struct.pack("<IIII",*m)))
    open(f(f"bmp_32n{i}.bmp"),"wb").write(bmp(w,h,32,3,b"",d32,masks=struct.pack("<III",*m[:3])))
open(f("bmp_24m.bmp"),"wb").write(bmp(w,h,24,3,b"",rows([px[y,:,::-1].tobytes() for y in range(h)]),hs=56,masks=struct.pack("<IIII",0xff0000,0xff00,0xff,0)))
q=a.crop((0,0,w,h)).quantize(16);qi=np.asarray(q);pal=np.array(q.getpalette()+[0]*48)[:48].reshape(16,3);p4=b"".join(bytes([b_,g_,r_,0]) for r_,g_,b_ in pal.tolist());p3=b"".join(bytes([b_,g_,r_]) for r_,g_,b_ in pal.tolist())
d8=rows([qi[y].astype(np.uint8).tobytes() for y in range(h)]); d4=rows([bytes((int(r[i])<<4)|(int(r[i+1]) if i+1<w else 0) for i in range(0,w,2)) for r in qi])
open(f("bmp_p8c16.bmp"),"wb").write(bmp(w,h,8,0,p4,d8,colors=16)); open(f("bmp_p4.bmp"),"wb").write(bmp(w,h,4,0,p4,d4)); open(f("bmp_p4td.bmp"),"wb").write(bmp(w,-h,4,0,p4,d4,colors=16)); open(f("bmp_off0.bmp"),"wb").write(bmp(w,h,8,0,p4,d8,colors=16,off=0)); open(f("bmp_off54.bmp"),"wb").write(bmp(w,h,8,0,p4,d8,colors=16,off=54))
os2=lambda bits,pal,data: b"BM"+struct.pack("<IHHI",26+len(pal)+len(data),0,0,26+len(pal))+struct.pack("<IHHHH",12,w,h,1,bits)+pal+data
open(f("bmp_os2_4.bmp"),"wb").write(os2(4,p3,d4)); open(f("bmp_os2_24.bmp"),"wb").write(os2(24,b"",rows([px[y,:,::-1].tobytes() for y in range(h)]))); open(f("bmp_os2_8.bmp"),"wb").write(os2(8,p3+bytes(720),d8))
d1=rows([np.packbits(qi[y]&1).tobytes() for y in range(h)]); open(f("bmp_1c.bmp"),"wb").write(bmp(w,h,1,0,p4[:8],d1)); open(f("bmp_1os2.bmp"),"wb").write(os2(1,p3[:6],d1))
open(f("bmp_os22.bmp"),"wb").write(bmp(w,h,4,0,p4,d4,hs=64))
def rle8(img,absol):
    o=b""
    for r in img[::-1]:
        r=list(map(int,r)); i=0
        while i<len(r):
            n=1
            while i+n<len(r) and r[i+n]==r[i] and n<255: n+=1
            if n<3 and absol and len(r)-i>=3:
                m=min(len(r)-i,7); o+=bytes([0,m])+bytes(r[i:i+m])+(b"\0" if m&1 else b""); i+=m
            else: o+=bytes([n,r[i]]); i+=n
        o+=b"\0\0"
    return o+b"\0\1"
open(f("bmp_rle8.bmp"),"wb").write(bmp(w,h,8,1,p4,rle8(qi,False),colors=16)); open(f("bmp_rle8a.bmp"),"wb").write(bmp(w,h,8,1,p4,rle8(qi,True),colors=16))
open(f("bmp_rle8d.bmp"),"wb").write(bmp(w,h,8,1,p4,b"\5\1\0\2\3\2\4\7\0\0\11\2\0\1",colors=16))
def rle4(img):
    o=b""
    for r in img[::-1]:
        r=list(map(int,r)); i=0
        while i<len(r):
            m=min(len(r)-i,8); m=m//4*4
            if m>=4: o+=bytes([0,m])+bytes((r[i+j]<<4)|r[i+j+1] for j in range(0,m,2)); i+=m
            else: o+=bytes([1,r[i]<<4]); i+=1
        o+=b"\0\0"
    return o+b"\0\1"
open(f("bmp_rle4.bmp"),"wb").write(bmp(w,h,4,2,p4,rle4(qi))); open(f("bmp_rle4b.bmp"),"wb").write(bmp(w,h,4,2,p4,b"\x15\x12\0\0\x07\x34\x0e\x56\0\0\0\1"))
# others
for m,e in (("RGB","ppm"),("L","pgm"),("1","pbm")): a.convert(m).save(f(f"pnm.{e}"))
open(f("ascii.ppm"),"w").write("P3\n# c\n%d %d\n255\n"%(w,h)+"\n".join(" ".join(map(str,px[y].ravel())) for y in range(h))+"\n")
open(f("ascii.pgm"),"w").write("P2\n%d %d\n15\n"%(w,h)+"\n".join(" ".join(map(str,(g[y,:w]>>4))) for y in range(h))+"\n")
open(f("ascii.pbm"),"w").write("P1\n%d %d\n"%(w,h)+"\n".join("".join(map(str,(g[y,:w]>>7))) for y in range(h))+"\n")
open(f("bin16.pgm"),"wb").write(b"P5 %d %d 65535\n"%(w,h)+g16[:h,:w].astype(">u2").tobytes()); open(f("bin1023.pgm"),"wb").write(b"P5 %d %d 1023\n"%(w,h)+(g16[:h,:w]>>6).astype(">u2").tobytes()); open(f("max100.ppm"),"wb").write(b"P6 %d %d 100\n"%(w,h)+(px.astype(int)*100//255).astype(np.uint8).tobytes()); open(f("max1000.ppm"),"wb").write(b"P6 %d %d 1000\n"%(w,h)+(px.astype(int)*1000//255).astype(">u2").tobytes())
for m in ("1","L","P","RGB"): a.convert(m).save(f(f"pcx_{m}.pcx")) if m!="P" else a.quantize(200).save(f("pcx_P.pcx"))
for m in ("L","RGB","RGBA","P"):
    im={"L":a.convert("L"),"RGB":a,"RGBA":rgba,"P":a.quantize(100)}[m]; im.save(f(f"tga_{m}.tga")); im.save(f(f"tga_{m}_rle.tga"),compression="tga_rle")
rgba.resize((48,48)).save(f("ico.ico"),sizes=[(16,16),(48,48)]); rgba.resize((32,32)).save(f("icob.ico"),sizes=[(16,16),(32,32)],bitmap_format="bmp"); a.save(f("dib.dib")); rgba.save(f("jp2.jp2")); a.save(f("sgi.sgi"));
try: a.save(f("avif.avif"))
except Exception as e: print(e)
# webp animated partial
fr=[photo(60,45).convert("RGBA"),pattern(60,45,3).convert("RGBA")]
fr[0].save(f("wanim_lossy.webp"),save_all=True,append_images=fr[1:],duration=30); fr[0].save(f("wanim_ll.webp"),save_all=True,append_images=fr[1:],duration=30,lossless=True)
t=Image.new("RGBA",(60,45)); t.paste(photo(20,20),(13,9)); t.save(f("wanim_part.webp"),save_all=True,append_images=[fr[1]],duration=30,lossless=True); t.save(f("wanim_partl.webp"),save_all=True,append_images=[fr[1]],duration=30,background=(10,200,30,255)); t.save(f("wanim_mixed.webp"),save_all=True,append_images=[fr[1]],duration=30,allow_mixed=True)
# tiff
for n,c in (("raw",None),("lzw","tiff_lzw"),("defl","tiff_deflate"),("adobe","tiff_adobe_deflate"),("pack","packbits"),("jpeg","jpeg"),("lzma","lzma"),("zstd","zstd")):
    for m,im in (("RGB",a),("L",a.convert("L")),("1",a.convert("1")),("P",a.quantize(50)),("RGBA",rgba),("LA",la),("CMYK",a.convert("CMYK")),("I;16",Image.fromarray(g16)),("I",Image.fromarray(g16.astype(np.int32)-300)),("F",Image.fromarray(g.astype(np.float32)*1.3-20)),("YCbCr",a.convert("YCbCr")),("LAB",None),("I;16B",None),("RGBX",a.convert("RGBX"))):
        if im is None: continue
        try: im.save(f(f"tif_{n}_{m.replace(';','')}.tif"),**({"compression":c} if c else {}))
        except Exception as e: print("tif",n,m,e); 
        if os.path.exists(f(f"tif_{n}_{m.replace(';','')}.tif")) and os.path.getsize(f(f"tif_{n}_{m.replace(';','')}.tif"))<100: os.remove(f(f"tif_{n}_{m.replace(';','')}.tif"))
    for m,im in (("RGB",a),("L",a.convert("L")),("I;16",Image.fromarray(g16)),("RGBA",rgba)):
        if n in ("lzw","defl","adobe"): im.save(f(f"tifp_{n}_{m.replace(';','')}.tif"),compression=c,tiffinfo={317:2})
for c in ("group3","group4","tiff_ccitt"): a.convert("1").save(f(f"tif_{c}.tif"),compression=c); a.convert("1").save(f(f"tif_{c}_fo2.tif"),compression=c,tiffinfo={266:2})
for c in ("group3","group4","tiff_lzw",None,"packbits"): a.convert("1").save(f(f"tifwz_{c}.tif"),tiffinfo={262:0},**({"compression":c} if c else {})); a.convert("L").save(f(f"tifwzL_{c}.tif"),tiffinfo={262:0},**({"compression":c} if c and "group" not in c else {}))
a.save(f("tif_jpegq.tif"),compression="jpeg",quality=50)
big=photo(300,200); big.save(f("tif_strips.tif"),compression="tiff_lzw",strip_size=4096); big.save(f("tif_bigtiff.tif"),big_tiff=True,compression="tiff_lzw"); big.save(f("tif_jpegstrips.tif"),compression="jpeg",strip_size=9000)
def tiff(order,tags,data_after=b""):
    e=order; tags=sorted(tags); n=len(tags); o=8+2+12*n+4; ext=b""; ent=b""
    for t,ty,vals in tags:
        sz={1:"B",3:"H",4:"I"}[ty]; raw=struct.pack(e+sz*len(vals),*vals)
        if len(raw)<=4: ent+=struct.pack(e+"HHI",t,ty,len(vals))+raw.ljust(4,b"\0")
        else: ent+=struct.pack(e+"HHII",t,ty,len(vals),o+len(ext)); ext+=raw+b"\0"*(len(raw)&1)
    return (b"II*\0" if e=="<" else b"MM\0*")+struct.pack(e+"I",8)+struct.pack(e+"H",n)+ent+struct.pack(e+"I",0)+ext
def mk(order,w,h,bits,photo_,chunks,rps=None,tile=None,spp=1,comp=1,planar=1,sf=None,extra=None,pred=None,fo=None,cmap=None):
    tags=[(256,3,[w]),(257,3,[h]),(258,3,bits),(259,3,[comp]),(262,3,[photo_]),(277,3,[spp]),(284,3,[planar])]
    if sf: tags.append((339,3,sf))
    if extra is not None: tags.append((338,3,extra))
    if pred: tags.append((317,3,[pred]))
    if fo: tags.append((266,3,[fo]))
    if cmap: tags.append((320,3,cmap))
    ot,ct=(324,325) if tile else (273,279)
    if tile: tags+= [(322,3,[tile[0]]),(323,3,[tile[1]])]
    else: tags.append((278,3,[rps or h]))
    base=tiff(order,tags+[(ot,4,[0]*len(chunks)),(ct,4,[len(c) for c in chunks])]); o=len(base); offs=[]
    for c in chunks: offs.append(o); o+=len(c)
    return tiff(order,tags+[(ot,4,offs),(ct,4,[len(c) for c in chunks])])+b"".join(chunks)
W_=lambda n,b: open(f(n),"wb").write(b)
for e,en in (("<","le"),(">","be")):
    u2=e+"u2"
    for comp,z in ((1,lambda b:b),(8,zlib.compress),(32946,zlib.compress)):
        rgb16=(na.astype(np.uint32)*257+np.arange(na.size).reshape(na.shape)%251).clip(0,65535).astype(u2)
        H_,W2=na.shape[:2]
        W_(f"t_{en}_rgb16_{comp}.tif",mk(e,W2,H_,[16]*3,2,[z(rgb16.tobytes())],spp=3,comp=comp))
        W_(f"t_{en}_rgb16s_{comp}.tif",mk(e,W2,H_,[16]*3,2,[z(rgb16[i:i+20].tobytes()) for i in range(0,H_,20)],rps=20,spp=3,comp=comp))
        W_(f"t_{en}_g16_{comp}.tif",mk(e,W2,H_,[16],1,[z((g16//150).astype(u2).tobytes())],comp=comp))
        W_(f"t_{en}_g16s_{comp}.tif",mk(e,W2,H_,[16],1,[z((g16.astype(np.int32)//150-50).astype(e+"i2").tobytes())],comp=comp,sf=[2]))
        W_(f"t_{en}_i32_{comp}.tif",mk(e,W2,H_,[32],1,[z((g16.astype(np.int32)//100-50).astype(e+"i4").tobytes())],comp=comp,sf=[2]))
        W_(f"t_{en}_u32_{comp}.tif",mk(e,W2,H_,[32],1,[z((g16.astype(np.uint32)//100).astype(e+"u4").tobytes())],comp=comp))
        W_(f"t_{en}_f32_{comp}.tif",mk(e,W2,H_,[32],1,[z((g.astype(np.float32)*1.3-20).astype(e+"f4").tobytes())],comp=comp,sf=[3]))
        W_(f"t_{en}_f32wz_{comp}.tif",mk(e,W2,H_,[32],0,[z((g.astype(np.float32)*1.3-20).astype(e+"f4").tobytes())],comp=comp,sf=[3]))
        W_(f"t_{en}_f64_{comp}.tif",mk(e,W2,H_,[64],1,[z((g.astype(np.float64)*1.3-20).astype(e+"f8").tobytes())],comp=comp,sf=[3]))
        for ex in (0,1,2): 
            ra=np.concatenate([na,np.asarray(al)[...,None]],-1); W_(f"t_{en}_rgba{ex}_{comp}.tif",mk(e,W2,H_,[8]*4,2,[z(ra.tobytes())],spp=4,comp=comp,extra=[ex]))
            W_(f"t_{en}_rgba16{ex}_{comp}.tif",mk(e,W2,H_,[16]*4,2,[z((ra.astype(np.uint32)*257).astype(u2).tobytes())],spp=4,comp=comp,extra=[ex]))
        W_(f"t_{en}_rgba_noextra_{comp}.tif",mk(e,W2,H_,[8]*4,2,[z(ra.tobytes())],spp=4,comp=comp))
        W_(f"t_{en}_cmyk_{comp}.tif",mk(e,W2,H_,[8]*4,5,[z(ra.tobytes())],spp=4,comp=comp)); W_(f"t_{en}_cmyk16_{comp}.tif",mk(e,W2,H_,[16]*4,5,[z((ra.astype(np.uint32)*257).astype(u2).tobytes())],spp=4,comp=comp))
        for d in (1,2,4,8):
            bits=np.unpackbits((g>>(8-d))[...,None],axis=2)[...,8-d:].reshape(H_,-1); pk=np.packbits(bits,axis=1)
            for ph in (0,1): W_(f"t_{en}_g{d}_p{ph}_{comp}.tif",mk(e,W2,H_,[d],ph,[z(pk.tobytes())],comp=comp)); W_(f"t_{en}_g{d}_p{ph}_fo2_{comp}.tif",mk(e,W2,H_,[d],ph,[z(pk.tobytes())],comp=comp,fo=2))
            W_(f"t_{en}_pal{d}_{comp}.tif",mk(e,W2,H_,[d],3,[z(pk.tobytes())],comp=comp,cmap=np.random.default_rng(d).integers(0,65536,3<<d).tolist()))
        W_(f"t_{en}_planar_{comp}.tif",mk(e,W2,H_,[8]*3,2,[z(np.ascontiguousarray(na[...,c]).tobytes()) for c in range(3)],spp=3,comp=comp,planar=2))
        W_(f"t_{en}_planars_{comp}.tif",mk(e,W2,H_,[8]*3,2,[z(np.ascontiguousarray(na[i:i+16,:,c]).tobytes()) for c in range(3) for i in range(0,H_,16)],rps=16,spp=3,comp=comp,planar=2))
        W_(f"t_{en}_planar16_{comp}.tif",mk(e,W2,H_,[16]*3,2,[z(np.ascontiguousarray(rgb16[...,c]).tobytes()) for c in range(3)],spp=3,comp=comp,planar=2))
        W_(f"t_{en}_lab_{comp}.tif",mk(e,W2,H_,[8]*3,8,[z(na.tobytes())],spp=3,comp=comp)); W_(f"t_{en}_ycc_{comp}.tif",mk(e,W2,H_,[8]*3,6,[z(na.tobytes())],spp=3,comp=comp))
        W_(f"t_{en}_la_{comp}.tif",mk(e,W2,H_,[8]*2,1,[z(np.ascontiguousarray(ra[...,2:]).tobytes())],spp=2,comp=comp,extra=[2]))
        def tiles(arr,tw,th):
            o=[]
            for y in range(0,H_,th):
                for x in range(0,W2,tw):
                    t=np.zeros((th,tw)+arr.shape[2:],arr.dtype); s=arr[y:y+th,x:x+tw]; t[:s.shape[0],:s.shape[1]]=s; o.append(t.tobytes())
            return o
        W_(f"t_{en}_tile_{comp}.tif",mk(e,W2,H_,[8]*3,2,[z(t) for t in tiles(na,32,16)],spp=3,comp=comp,tile=(32,16)))
        W_(f"t_{en}_tileg16_{comp}.tif",mk(e,W2,H_,[16],1,[z(t) for t in tiles((g16//150).astype(u2),48,32)],comp=comp,tile=(48,32)))
        W_(f"t_{en}_tileplanar_{comp}.tif",mk(e,W2,H_,[8]*3,2,[z(t) for c in range(3) for t in tiles(np.ascontiguousarray(na[...,c]),32,32)],spp=3,comp=comp,planar=2,tile=(32,32)))
        if comp!=1:
            dd=lambda v,dt: np.concatenate([v[:,:1],(v[:,1:].astype(np.int64)-v[:,:-1].astype(np.int64))],1).astype(np.int64)
            W_(f"t_{en}_pred8_{comp}.tif",mk(e,W2,H_,[8]*3,2,[z((dd(na,0)&255).astype(np.uint8).tobytes())],spp=3,comp=comp,pred=2))
            W_(f"t_{en}_pred16_{comp}.tif",mk(e,W2,H_,[16]*3,2,[z((dd(rgb16,0)&65535).astype(u2).tobytes())],spp=3,comp=comp,pred=2))
            W_(f"t_{en}_predg16_{comp}.tif",mk(e,W2,H_,[16],1,[z((dd(g16//150,0)&65535).astype(u2).tobytes())],comp=comp,pred=2))
            fb=(g.astype(">f4")*1.3-20).astype(">f4").view(np.uint8).reshape(H_,W2,4).transpose(0,2,1).reshape(H_,-1).astype(np.int64); fd=np.concatenate([fb[:,:1],fb[:,1:]-fb[:,:-1]],1)&255
            W_(f"t_{en}_predf_{comp}.tif",mk(e,W2,H_,[32],1,[z(fd.astype(np.uint8).tobytes())],comp=comp,pred=3,sf=[3]))
n=0;bad=0
log=open(LOG,"w")
for x in os.listdir(R): os.remove(R+x)
for x in sorted(os.listdir(D)):
    n+=1
    try: im=Image.open(D+x); m=im.mode; im=np.asarray(ImageOps.exif_transpose(im).convert("RGB")); np.save(R+x+".npy",im)
    except Exception as e: bad+=1; log.write(f"{x} {type(e).__name__} {e}\n")
print(n,bad)
